"""Recordings of real calls: what is in them, what is not, and when there is none."""

import asyncio
import os
import signal
import sqlite3
import stat
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from agent.journal import CallEvent, SqliteJournal
from agent.phrases import Phrase, say
from agent.recording.events import KIND, Status
from agent.recording.folder import DAY_S, find_recording, path_of
from tests.e2e.test_call import greeted, joined
from tests.recording.sound import audible, channels, span
from tests.support.caller import call
from tests.support.ears import transcribe_samples
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack, running_stack
from tests.support.wer import word_error_rate, words
from tests.tools.http_server import ToolServer, tool_server

pytestmark = pytest.mark.asyncio(loop_scope="session")

AMIABLE = RECORDINGS["sense_and_sensibility_0930"]
ELSE = RECORDINGS["steady_work"]
OLD = "AJ_old"
ANNOUNCEMENT = say(Phrase.RECORDED, "en")
LONG_ANNOUNCEMENT = "This call is recorded, so that those who were not there can hear later on what was agreed in it."


@dataclass(frozen=True)
class Studio:
    """A stack whose profile `recorded` asks for a recording, and the server of its tool."""

    stack: RunningStack
    server: ToolServer

    @property
    def folder(self) -> Path:
        """Where its recordings are."""
        return self.stack.data_dir / "recordings"

    async def events(self, conversation: str) -> list[CallEvent]:
        """What the journal holds of the recordings of a conversation."""
        with SqliteJournal(self.stack.data_dir / "journal.db") as journal:
            return await journal.events_of_conversation(conversation, KIND)

    async def until(self, conversation: str, status: Status) -> CallEvent:
        """Wait until this has happened to a recording."""
        async with asyncio.timeout(60):
            while not (found := [e for e in await self.events(conversation) if e.details["status"] == status]):
                await asyncio.sleep(0.1)
        return found[-1]

    async def recording(self, conversation: str) -> Path:
        """The file of the conversation's call, once it is finished."""
        ended = await self.until(conversation, Status.ENDED)
        path = find_recording(self.folder, ended.call_id)
        assert path is not None
        assert ended.details["size"] == path.stat().st_size
        return path

    def pid_of(self, call_id: str) -> int:
        """The process that a call runs in."""
        with sqlite3.connect(self.stack.data_dir / "journal.db") as db:
            row = db.execute("SELECT pid FROM call_processes WHERE call_id = ?", (call_id,)).fetchone()
        db.close()
        return int(row[0])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    async with tool_server() as server:
        card = {"name": "read_card", "description": "x", "url": server.url("/held"), "timeout_s": 60, "sensitive": True}
        tools = [{**card, "allow_hosts": ["127.0.0.1"]}]
        profile = {"recording": {"enabled": True, "keep_days": 7}, "tools": tools}
        (folder / "recorded.yaml").write_text(yaml.safe_dump(profile))
        env = {"PROFILES": str(folder), "ACME_BASE_URL": "http://127.0.0.1:9/v1", "ACME_API_KEY": "x"}
        old = path_of(folder / "stack" / "recordings", OLD, 7)
        old.parent.mkdir(parents=True)
        old.write_bytes(b"OggS")
        os.utime(old, (time.time() - 8 * DAY_S,) * 2)
        async with running_stack(folder / "stack", env) as stack:
            yield Studio(stack, server)


@pytest.fixture
def conversation() -> str:
    """A conversation of its own."""
    return f"c_{uuid.uuid4().hex[:12]}"


async def joined_recorded(studio: Studio, conversation: str, **job: Any) -> tuple[str, str]:
    return await joined(studio.stack, conversation, job={"agent": "recorded", **job})


async def test_the_caller_is_left_the_agent_right_after_the_announcement(studio: Studio, conversation: str) -> None:
    """All that both said is there, and the announcement, which stands in the thread, was said before."""
    async with call(*await joined_recorded(studio, conversation)) as caller:
        await studio.stack.until_thread(conversation, 2)
        await greeted(caller)
        spoken_at = await caller.say(*AMIABLE.load())
        await caller.until_agent_speaks(spoken_at)
        await caller.until_agent_is_silent()
    path = await studio.recording(conversation)
    announced, greeting, said, answer = [m["text"] for m in await studio.stack.until_thread(conversation, 4)]
    assert announced == ANNOUNCEMENT
    left, right, rate = channels(path)
    assert word_error_rate(AMIABLE.transcript, await transcribe_samples(studio.stack.models, left, rate)) <= 0.3
    heard = await transcribe_samples(studio.stack.models, right, rate)
    assert word_error_rate(f"{greeting} {answer}", heard) <= 0.4, heard
    assert "recorded" not in words(heard)
    assert said in answer
    _, caller_ends = span(left, rate)
    reply = audible(right, rate)[int(caller_ends / 0.02) :]
    assert 0 < (reply.argmax() * 0.02) < 3.0, "the answer follows the question"
    assert path.parent.name == "7-days"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [event.details["status"] for event in await studio.events(conversation)] == ["started", "ended"]


async def test_what_is_said_while_a_sensitive_tool_runs_is_not_there(studio: Studio, conversation: str) -> None:
    """Neither from the caller nor from the agent; what comes after it is, at its time."""
    studio.server.release.clear()
    async with call(*await joined_recorded(studio, conversation)) as caller:
        await studio.stack.until_thread(conversation, 2)
        await greeted(caller)
        await caller.send_text("Please read card now.")
        await studio.until(conversation, Status.PAUSED)
        await caller.say(*AMIABLE.load())
        await caller.until_agent_is_silent()
        studio.server.release.set()
        await studio.until(conversation, Status.RESUMED)
        await caller.until_agent_is_silent()
        spoken_at = await caller.say(*ELSE.load())
        await caller.until_agent_speaks(spoken_at)
        await caller.until_agent_is_silent()
    path = await studio.recording(conversation)
    events = {event.details["status"]: event for event in await studio.events(conversation)}
    assert list(events) == ["started", "paused", "resumed", "ended"]
    assert events["paused"].details["why"] == "read_card"
    left, right, rate = channels(path)
    begins, ends = (events[status].at - events["started"].at for status in ("paused", "resumed"))
    assert events["ended"].details["paused_seconds"] == pytest.approx(ends - begins, abs=0.5)
    assert len(left) / rate == pytest.approx(float(events["ended"].details["seconds"] or 0), abs=0.1)
    for side in (left, right):
        assert not audible(side, rate)[int((begins + 0.3) / 0.02) : int((ends - 0.3) / 0.02)].any()
    heard = await transcribe_samples(studio.stack.models, left, rate)
    assert word_error_rate(ELSE.transcript, heard) <= 0.4, heard


async def test_a_call_that_nobody_wants_recorded_is_not(studio: Studio, conversation: str) -> None:
    """Nothing is written and nothing announced."""
    before = set(studio.folder.rglob("*"))
    async with call(*await joined(studio.stack, conversation)) as caller:
        await greeted(caller)
    thread = await studio.stack.until_thread(conversation, 1)
    assert ANNOUNCEMENT not in [message["text"] for message in thread]
    assert set(studio.folder.rglob("*")) == before
    assert await studio.events(conversation) == []


async def test_without_a_voice_to_announce_it_nothing_is_recorded(studio: Studio, conversation: str) -> None:
    """The call goes on without a recording, and the journal says why."""
    before = set(studio.folder.rglob("*.ogg"))
    async with call(*await joined_recorded(studio, conversation, models={"tts": ["acme/voice"]})) as caller:
        await caller.until_agent_is_there()
        event = await studio.until(conversation, Status.NOT_STARTED)
        await studio.stack.until_thread(conversation, 2)
    assert event.details["why"] == "the announcement could not be spoken"
    assert set(studio.folder.rglob("*.ogg")) == before


async def test_an_announcement_that_is_cut_off_is_said_again(studio: Studio, conversation: str) -> None:
    """Recorded is from the end of the one that was heard to its end."""
    recording = {"announce": LONG_ANNOUNCEMENT}
    async with call(*await joined_recorded(studio, conversation, recording=recording)) as caller:
        begun = await caller.until_agent_speaks(0.0)
        await caller.until_agent_speaks(begun + 0.5)
        await caller.send_text("My name is Ana.")
        started = await studio.until(conversation, Status.STARTED)
        await caller.until_agent_is_silent()
    path = await studio.recording(conversation)
    thread = await studio.stack.until_thread(conversation, 4)
    announced = [m for m in thread if m["text"] and LONG_ANNOUNCEMENT.startswith(m["text"][:20])]
    assert [m["interrupted"] for m in announced] == [True, False]
    assert started.at > 0
    _, right, rate = channels(path)
    assert "agreed" not in words(await transcribe_samples(studio.stack.models, right, rate))


async def test_a_killed_call_leaves_its_recording(studio: Studio, conversation: str) -> None:
    """The file can be played, and holds what was said but for the last two seconds; the next process begins another."""
    async with call(*await joined_recorded(studio, conversation)) as caller:
        await studio.stack.until_thread(conversation, 2)
        await greeted(caller)
        spoken_at = await caller.say(*AMIABLE.load())
        await caller.until_agent_speaks(spoken_at)
        await caller.until_agent_is_silent(seconds=3.0)
        (started,) = await studio.events(conversation)
        killed_at = time.time()
        os.kill(studio.pid_of(started.call_id), signal.SIGKILL)
        async with asyncio.timeout(60):
            while len(await studio.events(conversation)) < 2:
                await asyncio.sleep(0.1)
    await studio.recording(conversation)
    path = find_recording(studio.folder, started.call_id)
    assert path is not None
    left, right, rate = channels(path)
    assert len(left) / rate > killed_at - started.at - 3.0
    assert word_error_rate(AMIABLE.transcript, await transcribe_samples(studio.stack.models, left, rate)) <= 0.3
    assert "amiable" in words(await transcribe_samples(studio.stack.models, right, rate))
    thread = await studio.stack.thread(conversation)
    assert [message["text"] for message in thread].count(ANNOUNCEMENT) == 2


async def test_the_worker_deletes_what_is_old(studio: Studio) -> None:
    """By itself, from its start on."""
    async with asyncio.timeout(60):
        while find_recording(studio.folder, OLD) is not None:
            await asyncio.sleep(0.1)


async def test_nothing_that_was_said_is_in_the_log(studio: Studio) -> None:
    """A recording is spoken of there, and nothing of what is in it."""
    log = studio.stack.log()
    assert "the call is recorded from now on" in log
    for said in ("amiable", "steady work", ANNOUNCEMENT, "agreed in it"):
        assert said not in log
