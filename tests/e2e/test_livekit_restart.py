"""livekit-server dies under a running call: the call goes on when it is back soon, else it ends in order."""

import asyncio
import os
import signal
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import psutil
import pytest
import pytest_asyncio
from livekit import rtc

from agent.journal.opening import FILE_NAME
from agent.phrases import Phrase, say
from agent.settings import load_settings
from agent.worker.livekit_api import livekit_api
from tests.support.caller import Caller, call
from tests.support.livekit_process import LiveKitProcess, livekit_process
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLUBS = RECORDINGS["card_003"]
HANGING_S = 150.0


@dataclass(frozen=True)
class Setup:
    """A stack whose livekit-server is the test's."""

    stack: RunningStack
    livekit: LiveKitProcess

    async def until_ready(self, ready: bool) -> None:
        """Wait until the worker says that it is ready, or that it is not."""
        port = psutil.Process(self.stack.worker_pid()).environ()["WORKER_PORT"]
        async with asyncio.timeout(HANGING_S), aiohttp.ClientSession() as http:
            while True:
                async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if (answer.status == 200) is ready:
                        return
                await asyncio.sleep(0.05)

    async def until_journal(self, query: str, conversation: str) -> str:
        """Wait until the journal has an answer; returns its first column."""
        async with asyncio.timeout(HANGING_S):
            while True:
                with sqlite3.connect(self.stack.data_dir / FILE_NAME) as db:
                    row = db.execute(query, (conversation,)).fetchone()
                db.close()
                if row is not None:
                    return str(row[0])
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    async with (
        livekit_process() as livekit,
        running_stack(tmp_path_factory.mktemp("restarts"), {"DRAIN_SECONDS": "0", **livekit.env}) as stack,
    ):
        yield Setup(stack, livekit)


@asynccontextmanager
async def greeted_call(setup: Setup, conversation: str, **job: Any) -> AsyncIterator[Caller]:
    """A call whose agent has greeted, whatever became of the server before."""
    await setup.livekit.start()
    given = await setup.stack.room_token(conversation, job=job)
    async with call(given["url"], given["token"]) as caller:
        await caller.until_agent_speaks(0.0, HANGING_S)
        await setup.stack.until_thread(conversation, 1, timeout=HANGING_S)
        yield caller


async def until_agents(caller: Caller, count: int) -> None:
    """Wait until so many agents are in a caller's room."""
    kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    async with asyncio.timeout(HANGING_S):
        while sum(p.kind == kind for p in caller.room.remote_participants.values()) != count:
            await asyncio.sleep(0.05)


async def forget_dispatches(setup: Setup, room: str) -> None:
    """What a restart does by itself when the agent is back before the person, whose token brings the dispatch along."""
    async with livekit_api(load_settings(setup.livekit.env, None)) as livekit:
        for dispatch in await livekit.agent_dispatch.list_dispatch(room):
            await livekit.agent_dispatch.delete_dispatch(dispatch.id, room)


def fresh() -> str:
    return f"c_{uuid.uuid4().hex[:12]}"


@pytest.mark.timeout(600)
async def test_a_call_goes_on_after_a_short_restart(setup: Setup) -> None:
    """The person and the same agent meet again, it hears and answers, and the thread has everything once; meanwhile
    the worker says that it is not ready."""
    conversation = fresh()
    async with greeted_call(setup, conversation) as caller:
        await setup.livekit.kill()
        await setup.until_ready(False)
        await until_agents(caller, 0)
        await setup.livekit.start()
        await until_agents(caller, 1)
        spoken_at = await caller.say(*CLUBS.load())
        await caller.until_agent_speaks(spoken_at, HANGING_S)
        thread = await setup.stack.until_thread(conversation, 3, timeout=HANGING_S)
        await until_agents(caller, 1)
        await setup.until_ready(True)
    assert [(message["role"], message["channel"]) for message in thread] == [
        ("assistant", "voice"),
        ("user", "voice"),
        ("assistant", "voice"),
    ]
    assert await setup.until_journal("SELECT count(*) FROM calls WHERE conversation_id = ?", conversation) == "1"


@pytest.mark.timeout(600)
async def test_a_call_goes_on_with_its_job_when_livekit_has_forgotten_it(setup: Setup) -> None:
    """After a restart the dispatch is gone; when the worker dies, too, its successor reads the job in the journal."""
    conversation = fresh()
    async with greeted_call(setup, conversation, agent={"name": "Robin"}) as caller:
        await setup.livekit.kill()
        await until_agents(caller, 0)
        await setup.livekit.start()
        await until_agents(caller, 1)
        await forget_dispatches(setup, caller.room.name)
        os.killpg(setup.stack.worker_pid(), signal.SIGKILL)
        (_, sorry) = await setup.stack.until_thread(conversation, 2, timeout=HANGING_S)
        await until_agents(caller, 1)
        assert [p.name for p in caller.room.remote_participants.values()] == ["Robin"]
    assert sorry["text"] == say(Phrase.CUT_OFF, "en")


@pytest.mark.timeout(600)
async def test_a_call_whose_server_stays_away_ends_in_order_and_the_next_one_is_answered_at_once(setup: Setup) -> None:
    """Its process ends with a reason, its turns are in the thread, nobody holds its room; and somebody who calls as
    soon as the server is back gets an agent, though no worker was registered when they came."""
    conversation, following = fresh(), fresh()
    async with greeted_call(setup, conversation) as caller:
        gone = asyncio.Event()
        caller.room.on("disconnected", lambda *_: gone.set())
        await caller.until_agent_is_silent()
        asked_at = time.monotonic()
        await caller.send_text("My name is Ana.")
        await caller.until_agent_speaks(asked_at, HANGING_S)
        await setup.livekit.kill()
        query = "SELECT reason FROM calls WHERE conversation_id = ? AND ended_at IS NOT NULL"
        assert await setup.until_journal(query, conversation)
        await setup.until_journal("SELECT 1 FROM leases WHERE conversation_id = ? AND holder = ''", conversation)
        await asyncio.wait_for(gone.wait(), HANGING_S)
    thread = await setup.stack.until_thread(conversation, 3)
    assert [message["role"] for message in thread] == ["assistant", "user", "assistant"]
    await setup.until_ready(False)
    await setup.livekit.start()
    async with greeted_call(setup, following) as caller:
        await until_agents(caller, 1)
    await setup.until_ready(True)
    assert "ClientConnectorError" not in setup.stack.log()  # that the room cannot be removed is no error
