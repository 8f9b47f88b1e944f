"""Processes of a real call are killed, while the chat is away too: every turn that was durable reaches the thread."""

import asyncio
import os
import signal
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
import pytest_asyncio

from agent.dev.chat.credentials import agent_token
from agent.dev.ports import LOOPBACK, PortWish, claim_ports
from agent.dev.secrets import load_dev_secrets
from agent.journal.opening import FILE_NAME
from tests.chat_server.server_process import server_process
from tests.support.caller import Caller, call
from tests.support.stack import RunningStack, running_stack
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITHIN_S = 5.0


@dataclass(frozen=True)
class Setup:
    """A stack whose chat server runs elsewhere, over a line that a test breaks."""

    stack: RunningStack
    chat_port: int
    proxy: TcpProxy

    async def thread(self, conversation: str) -> list[dict[str, Any]]:
        """What stands in the thread; the line to the server does not matter here."""
        url = f"http://{LOOPBACK}:{self.chat_port}/ws/v1/conversation/{conversation}/messages/"
        async with aiohttp.ClientSession() as http, http.get(url, params={"session_user": "tester"}) as response:
            results: list[dict[str, Any]] = (await response.json())["results"] if response.status == 200 else []
            return results

    async def until_thread(self, conversation: str, count: int) -> None:
        """Wait until the thread has so many messages."""
        async with asyncio.timeout(60):
            while len(await self.thread(conversation)) < count:
                await asyncio.sleep(0.05)

    def journal(self, query: str, *values: str) -> list[Any]:
        """What the journal says, first columns only."""
        with sqlite3.connect(self.stack.data_dir / FILE_NAME) as db:
            rows = db.execute(query, values).fetchall()
        db.close()
        return [row[0] for row in rows]

    async def until_durable(self, conversation: str, count: int) -> list[str]:
        """Wait until the journal has so many turns; returns their ids, in order."""
        async with asyncio.timeout(60):
            while True:
                query = "SELECT id FROM turns WHERE conversation_id = ? ORDER BY position"
                if len(turns := self.journal(query, conversation)) >= count:
                    return turns
                await asyncio.sleep(0.02)

    def undelivered(self, conversation: str) -> int:
        """How many turns the journal has as undelivered."""
        query = "SELECT id FROM turns WHERE conversation_id = ? AND delivered_at IS NULL"
        return len(self.journal(query, conversation))

    def job_process(self, conversation: str) -> int:
        """The process of the conversation's call."""
        query = "SELECT pid FROM carriers WHERE conversation_id = ? AND call_id <> ''"
        (pid,) = self.journal(query, conversation)
        return int(pid)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def setup(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    folder: Path = tmp_path_factory.mktemp("killed")
    (port,) = claim_ports([PortWish(0, "the chat", "PAGE_PORT")])
    token = agent_token(load_dev_secrets(folder / "chat"))
    async with server_process(folder / "chat", port), TcpProxy(port) as proxy:
        env = {"CHAT_API_URL": f"ws://{LOOPBACK}:{proxy.port}/ws/v1/", "CHAT_TOKEN": token}
        async with running_stack(folder / "stack", env) as stack:
            yield Setup(stack, port, proxy)


@asynccontextmanager
async def call_of(setup: Setup, conversation: str) -> AsyncIterator[Caller]:
    """A call in which the agent has greeted."""
    given = await setup.stack.room_token(conversation)
    async with call(given["url"], given["token"]) as caller:
        await caller.until_agent_speaks(0.0)
        await setup.until_thread(conversation, 1)
        yield caller


def fresh() -> str:
    return f"c_{uuid.uuid4().hex[:12]}"


async def test_a_call_that_ends_leaves_nothing_to_the_worker(setup: Setup) -> None:
    """Over a slow line, too: the cut reply is in the thread, and marked as delivered, when the call is over."""
    conversation = fresh()
    async with call_of(setup, conversation) as caller:
        sent_at = time.monotonic()
        await caller.send_text("My name is Ana and I live in a small house by the sea.")
        await caller.until_agent_speaks(sent_at + 1.0)
        setup.proxy.delay(1.5)
    query = "SELECT reason FROM calls WHERE conversation_id = ? AND ended_at IS NOT NULL"
    async with asyncio.timeout(30):
        while not setup.journal(query, conversation):
            await asyncio.sleep(0.05)
    assert setup.undelivered(conversation) == 0
    setup.proxy.resume()
    assert len(await setup.thread(conversation)) == 3
    assert "delivered what a call left behind" not in setup.stack.log()


async def test_a_killed_calls_turns_are_in_the_thread_within_5_seconds(setup: Setup) -> None:
    """SIGKILL in mid-call, with turns that the chat, away for a while, has not seen."""
    conversation = fresh()
    async with call_of(setup, conversation) as caller:
        setup.proxy.refuse()
        setup.proxy.drop()
        await caller.send_text("My name is Ana.")
        durable = await setup.until_durable(conversation, 3)
        setup.proxy.resume()
        os.kill(setup.job_process(conversation), signal.SIGKILL)
        killed_at = time.monotonic()
        await setup.until_thread(conversation, len(durable))
        assert time.monotonic() - killed_at < WITHIN_S
    thread = await setup.thread(conversation)
    assert [message["id"] for message in thread][: len(durable)] == durable
    assert len({message["id"] for message in thread}) == len(thread)


async def test_a_killed_workers_turns_are_delivered_when_it_is_started_again(setup: Setup) -> None:
    """SIGKILL for the worker and all its processes in mid-call, while the chat is away."""
    conversation = fresh()
    async with call_of(setup, conversation) as caller:
        setup.proxy.refuse()
        setup.proxy.drop()
        await caller.send_text("My name is Ana.")
        durable = await setup.until_durable(conversation, 3)
        assert setup.undelivered(conversation) == 2
        killed = setup.stack.worker_pid()
        os.killpg(killed, signal.SIGKILL)  # the stack starts it again
        setup.proxy.resume()
        await setup.until_thread(conversation, len(durable))
        assert not psutil.pid_exists(killed)
    thread = await setup.thread(conversation)
    assert [message["id"] for message in thread][: len(durable)] == durable
    assert len({message["id"] for message in thread}) == len(thread)
