"""More calls than the workers have room for: those that run are well, the others wait and are answered in turn."""

import asyncio
import os
import signal
import time
import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from agent.phrases import Phrase, say
from agent.worker.takeover import NO_ROOM_S
from tests.support.caller import Caller, call
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack
from tests.support.worker import RunningWorker, running_worker

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLUBS = RECORDINGS["card_003"]
SORRY = say(Phrase.CUT_OFF, "en")
HANGING_S = 150.0  # on a machine with nothing else to do all of it takes seconds


def fresh() -> str:
    """A conversation of its own."""
    return f"c_{uuid.uuid4().hex[:12]}"


def room_for(calls: int) -> dict[str, str]:
    """The settings of a worker with room for so many calls, each with a process that waits for it."""
    return {"WORKER_MAX_CALLS": str(calls), "WORKER_IDLE_PROCESSES": str(calls)}


async def answered(callers: list[Caller], count: int) -> list[Caller]:
    """Those who hear an agent, as soon as they are so many."""
    async with asyncio.timeout(HANGING_S):
        while len(found := [caller for caller in callers if caller.heard.first_audible(0.0) is not None]) < count:
            await asyncio.sleep(0.05)
    return found


async def refused(*workers: RunningWorker) -> float:
    """How many calls they left to others."""
    return sum([await worker.metric("voice_agent_jobs_total", answer="full") for worker in workers])


def words(thread: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in thread]


async def is_well(caller: Caller) -> None:
    """Somebody who speaks is heard, and answered."""
    await caller.until_agent_is_silent(timeout=HANGING_S)
    spoken_at = await caller.say(*CLUBS.load())
    await caller.until_agent_speaks(spoken_at, HANGING_S)
    async with asyncio.timeout(HANGING_S):
        while not any(c.final and "clubs" in c.text.lower() for c in caller.captions):
            await asyncio.sleep(0.05)


async def hang_up(caller: Caller) -> None:
    """Leave, before the others do."""
    await caller.room.disconnect()


async def test_a_worker_that_is_overloaded_keeps_its_calls_well(stack: RunningStack, tmp_path: Path) -> None:
    """Five call at once where there is room for two: two are answered and well, the refusals are counted and logged,
    and whoever waits is answered when somebody hangs up. Nobody is asked for again and again meanwhile."""
    async with (
        running_worker(stack, tmp_path, agent="overloaded", env=room_for(2)) as worker,
        AsyncExitStack() as exits,
    ):
        calls = [exits.enter_async_context(call(*worker.joined(fresh()))) for _ in range(5)]
        callers = await asyncio.gather(*calls)
        first = await answered(callers, 2)
        await asyncio.gather(*map(is_well, first))
        assert await answered(callers, 2) == first
        assert await worker.metric("voice_agent_calls_running") == 2
        # How many were offered depends on when livekit-server was told that the worker is full.
        assert 1 <= await refused(worker) <= 3
        assert "a call is not taken, as WORKER_MAX_CALLS are running" in worker.log()
        await hang_up(first[0])
        third = await answered(callers, 3)
        await is_well(next(caller for caller in third if caller not in first))
        assert await worker.metric("voice_agent_jobs_total", answer="accepted") == 3


async def test_what_one_worker_has_no_room_for_another_one_takes(stack: RunningStack, tmp_path: Path) -> None:
    """Two call at once, and each worker has room for one: both are answered at once, whomever LiveKit asks first."""
    async with (
        running_worker(stack, tmp_path / "one", agent="spread", env=room_for(1)) as one,
        running_worker(stack, tmp_path / "two", agent="spread", env=room_for(1)) as two,
        AsyncExitStack() as exits,
    ):
        callers = await asyncio.gather(
            *(exits.enter_async_context(call(*one.joined(fresh()))) for _ in range(2)),
        )
        await answered(callers, 2)
        for worker in (one, two):
            assert await worker.metric("voice_agent_jobs_total", answer="accepted") == 1


async def test_a_call_that_breaks_off_waits_for_room(stack: RunningStack, tmp_path: Path) -> None:
    """A worker dies with its call while the other one is full: that one's call is well, nothing is given up, and when
    there is room again the agent comes back and apologises."""
    cut, kept = fresh(), fresh()
    async with (
        running_worker(stack, tmp_path, agent="waited", env=room_for(1)) as dying,
        call(*dying.joined(cut)) as waiting,
        AsyncExitStack() as exits,
    ):
        await answered([waiting], 1)
        await stack.until_thread(cut, 1, timeout=HANGING_S)
        living = await exits.enter_async_context(running_worker(stack, tmp_path, agent="waited", env=room_for(1)))
        other = await exits.enter_async_context(call(*living.joined(kept)))
        await answered([other], 1)
        os.killpg(dying.process.pid, signal.SIGKILL)
        killed_at = time.monotonic()
        await is_well(other)
        await asyncio.sleep(max(0.0, killed_at + 3 * NO_ROOM_S - time.monotonic()))  # so often it was looked after
        assert SORRY not in words(await stack.thread(cut))
        assert await living.metric("voice_agent_jobs_total", answer="accepted") == 1
        await hang_up(other)
        async with asyncio.timeout(HANGING_S):
            while SORRY not in words(await stack.thread(cut)):
                await asyncio.sleep(0.1)
        await living.until_metric(1, "voice_agent_takeovers_total", HANGING_S, outcome="taken over")
        assert await living.metric("voice_agent_takeovers_total", outcome="given up") == 0
        # The worker that was full has given it to itself alone.
        assert await refused(living) == 0
