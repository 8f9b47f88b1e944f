"""The process that waits for the next call dies, or takes long to load: the next call is answered all the same."""

import asyncio
import logging
import os
import re
import signal
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from livekit.agents import JobProcess

from tests.support.caller import call
from tests.support.stack import RunningStack, running_stack
from tests.support.unregistered_worker import unregistered_worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

HANGING_S = 150.0
SLOW_S = 12.0
LOADED = re.compile(r"process initialized\s+pid=(\d+)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    async with running_stack(tmp_path_factory.mktemp("idle"), {"DRAIN_SECONDS": "0"}) as running:
        yield running


async def until_loaded(stack: RunningStack, *, besides: int = 0) -> int:
    """Wait for the latest idle process that is ready for a call."""
    async with asyncio.timeout(HANGING_S):
        while True:
            loaded = [int(pid) for pid in LOADED.findall(stack.log())]
            if loaded and loaded[-1] != besides:
                return loaded[-1]
            await asyncio.sleep(0.02)


async def greeting_of(stack: RunningStack) -> list[str]:
    """Call, wait until somebody speaks, and return what the thread has then."""
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    given = await stack.room_token(conversation)
    async with call(given["url"], given["token"]) as caller:
        await caller.until_agent_speaks(0.0, HANGING_S)
        return [message["text"] for message in await stack.until_thread(conversation, 1, timeout=HANGING_S)]


async def test_an_idle_process_that_was_killed_is_replaced(stack: RunningStack) -> None:
    """The next call, a moment later, does not go to a dead process."""
    killed = await until_loaded(stack)
    os.kill(killed, signal.SIGKILL)
    assert len(await greeting_of(stack)) == 1
    assert not psutil.pid_exists(killed)
    await until_loaded(stack, besides=killed)


async def test_an_idle_process_that_dies_as_a_call_comes(stack: RunningStack) -> None:
    """While LiveKit gives the call to it: another one takes it."""
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    given = await stack.room_token(conversation)
    idle = await until_loaded(stack)
    async with call(given["url"], given["token"]) as caller:
        os.kill(idle, signal.SIGKILL)
        await caller.until_agent_speaks(0.0, HANGING_S)
        thread = await stack.until_thread(conversation, 1, timeout=HANGING_S)
    assert len(thread) == 1


async def test_a_process_that_loads_slowly_is_not_started_again_and_again(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models may take longer than the 10 s that the library gives a process by default (livekit/agents 4857)."""
    with caplog.at_level(logging.INFO, "livekit.agents"):
        async with unregistered_worker(load_slowly, tmp_path, monkeypatch) as running, asyncio.timeout(HANGING_S):
            while not (said := [record for record in caplog.records if record.message == "process initialized"]):
                assert not running.done(), running
                await asyncio.sleep(0.1)
    assert said[0].__dict__["elapsed_time"] >= SLOW_S
    assert sum(record.message == "initializing process" for record in caplog.records) == 1


def load_slowly(_: JobProcess) -> None:
    """Stands for models that are read from a slow disk."""
    time.sleep(SLOW_S)
