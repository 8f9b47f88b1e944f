"""The process of a call is killed under it: another one goes on, in the same room and the same thread."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import psutil
import pytest
import pytest_asyncio
from livekit import rtc
from prometheus_client.parser import text_string_to_metric_families

from agent.journal.opening import FILE_NAME
from agent.leases import Holder
from agent.phrases import Phrase, say
from agent.turns import Turn
from agent.worker.takeover import GIVEN_UP, MOST_TAKEOVERS
from tests.support.caller import Caller, call
from tests.support.second_worker import second_worker
from tests.support.stack import ROOT, RunningStack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

SORRY = say(Phrase.CUT_OFF, "en")
HANGING_S = 150.0  # on a machine with nothing else to do all of it takes seconds
# The responder says it back, so that the answer is long enough to be cut off in on a machine however busy.
LONG_STORY = (
    "I told the woman at the desk that the train to the harbour had left an hour late, that my blue suitcase stood on "
    "the other platform, and that nobody in the whole station had seen the man who was to carry it."
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    async with running_stack(tmp_path_factory.mktemp("takeover"), {"DRAIN_SECONDS": "0"}) as running:
        yield running


@asynccontextmanager
async def greeted_call(stack: RunningStack, conversation: str) -> AsyncIterator[Caller]:
    """A call whose agent has greeted."""
    given = await stack.room_token(conversation)
    async with call(given["url"], given["token"]) as caller:
        await caller.until_agent_speaks(0.0, HANGING_S)
        await stack.until_thread(conversation, 1, timeout=HANGING_S)
        yield caller


def journal_row(stack: RunningStack, query: str, conversation: str) -> tuple[Any, ...] | None:
    """What the journal says of a conversation."""
    with sqlite3.connect(stack.data_dir / FILE_NAME) as db:
        row: tuple[Any, ...] | None = db.execute(query, (conversation,)).fetchone()
    db.close()
    return row


async def until_saying(stack: RunningStack, conversation: str) -> None:
    """Wait until the lease has some words of what the agent is saying."""
    async with asyncio.timeout(HANGING_S):
        while True:
            row = journal_row(stack, "SELECT saying FROM leases WHERE conversation_id = ?", conversation)
            if row is not None and row[0] and len(Turn.from_json(row[0]).text.split()) > 1:
                return
            await asyncio.sleep(0.02)


async def until_held(stack: RunningStack, conversation: str, *, besides: Holder | None = None) -> Holder:
    """The living process of a conversation's call, as the lease says."""
    query = "SELECT holder FROM leases WHERE conversation_id = ?"
    async with asyncio.timeout(HANGING_S):
        while True:
            row = journal_row(stack, query, conversation)
            holder = Holder.parse(row[0]) if row is not None else None
            if holder is not None and holder != besides and not holder.is_known_to_be_dead():
                return holder
            await asyncio.sleep(0.02)


async def until_begun(stack: RunningStack, conversation: str, count: int) -> str:
    """Wait until so many calls of a conversation stand in the journal; the id of the latest."""
    query = "SELECT id, count(*) OVER () FROM calls WHERE conversation_id = ? ORDER BY started_at DESC"
    async with asyncio.timeout(HANGING_S):
        while (row := journal_row(stack, query, conversation)) is None or row[1] != count:
            await asyncio.sleep(0.02)
    return str(row[0])


async def takeovers(stack: RunningStack) -> dict[str, float]:
    """What the worker has counted of them, by their outcome."""
    port = psutil.Process(stack.worker_pid()).environ()["WORKER_PORT"]
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    counted = {
        sample.labels["outcome"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "voice_agent_takeovers_total"
    }
    return {outcome: counted.get(outcome, 0.0) for outcome in ("given up", "taken over")}


async def report_of(stack: RunningStack, call_id: str) -> dict[str, Any]:
    """What `python -m agent report --json` says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "report", call_id, "--json",
        cwd=ROOT, env={**os.environ, "DATA_DIR": str(stack.data_dir)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await process.communicate()
    assert process.returncode == 0
    report: dict[str, Any] = json.loads(printed)
    return report


def agents(caller: Caller) -> list[str]:
    """The agents in a caller's room."""
    kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    return [p.identity for p in caller.room.remote_participants.values() if p.kind == kind]


def words(thread: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in thread]


def fresh() -> str:
    return f"c_{uuid.uuid4().hex[:12]}"


async def test_a_killed_job(stack: RunningStack) -> None:
    """In the middle of a reply: somebody apologises and answers, and the thread has what was heard, all of it once."""
    conversation = fresh()
    async with greeted_call(stack, conversation) as caller:
        first = agents(caller)
        await caller.until_agent_is_silent(timeout=HANGING_S)
        asked_at = time.monotonic()
        await caller.send_text(LONG_STORY)
        await caller.until_agent_speaks(asked_at, HANGING_S)
        await until_saying(stack, conversation)
        os.kill((await until_held(stack, conversation)).process.pid, signal.SIGKILL)
        thread = await stack.until_thread(conversation, 5, timeout=HANGING_S)
        second = agents(caller)
    assert len(second) == 1
    assert second != first
    assert len({message["id"] for message in thread}) == len(thread)
    question, half, sorry, answer = words(thread)[1:]
    assert (question, sorry) == (LONG_STORY, SORRY)
    assert "harbour" in answer
    assert half
    assert answer.startswith(half.rstrip("."))


async def test_a_killed_worker(stack: RunningStack) -> None:
    """With a second worker running, nobody has to wait until the first one is started again."""
    conversation = fresh()
    async with greeted_call(stack, conversation) as caller, second_worker(stack) as second:
        killed = stack.worker_pid()
        os.killpg(killed, signal.SIGKILL)
        thread = await stack.until_thread(conversation, 2, timeout=HANGING_S)
        assert words(thread)[1] == SORRY
        assert len(agents(caller)) == 1
        holder = await until_held(stack, conversation)
        assert holder.process.pid in second.family() or stack.worker_pid() != killed


async def test_a_worker_that_is_stopped_hands_its_calls_over(stack: RunningStack) -> None:
    """A deploy whose patience is at its end: the person keeps an agent."""
    conversation = fresh()
    async with second_worker(stack) as second, greeted_call(stack, conversation):
        holder = await until_held(stack, conversation)
        if holder.process.pid in second.family():
            second.process.terminate()
        else:
            os.kill(stack.worker_pid(), signal.SIGTERM)
        assert words(await stack.until_thread(conversation, 2, timeout=HANGING_S))[1] == SORRY
        await until_held(stack, conversation, besides=holder)


async def test_a_call_that_crashes_again_and_again_is_given_up(stack: RunningStack) -> None:
    """The thread says so, the room does not keep a person waiting for nobody, and whoever runs the worker can see it in
    its metrics, its log and the call's report."""
    conversation = fresh()
    async with greeted_call(stack, conversation) as caller:
        before = await takeovers(stack)  # by now the stack's worker, which a test before may have ended, runs
        gone = asyncio.Event()
        caller.room.on("disconnected", lambda *_: gone.set())
        holder = None
        for number in range(MOST_TAKEOVERS + 1):
            holder = await until_held(stack, conversation, besides=holder)
            last_call = await until_begun(stack, conversation, number + 1)
            os.kill(holder.process.pid, signal.SIGKILL)
        await asyncio.wait_for(gone.wait(), HANGING_S)
    async with asyncio.timeout(HANGING_S):
        while words(await stack.thread(conversation))[-1:] != [say(Phrase.GIVEN_UP, "en")]:
            await asyncio.sleep(0.1)
        while (now := await takeovers(stack))["given up"] == before["given up"]:
            await asyncio.sleep(0.1)
    assert now == {"given up": before["given up"] + 1, "taken over": before["taken over"] + MOST_TAKEOVERS}
    (line,) = [line for line in stack.log().splitlines() if "is given up" in line and conversation in line]
    assert last_call in line
    report = await report_of(stack, last_call)
    assert report["call"]["reason"] == GIVEN_UP
    assert report["turns"][-1]["text"] == say(Phrase.GIVEN_UP, "en")
