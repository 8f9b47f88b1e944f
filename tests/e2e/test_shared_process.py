"""Several calls in one process: each has its own words, one that ends does not disturb the others, and when the process
is killed all of them are taken over."""

import asyncio
import os
import signal
import sqlite3
import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.hosting.leftovers import SOURCE_THREAD, threads_named
from agent.journal.opening import FILE_NAME
from agent.phrases import Phrase, say
from tests.support.caller import Caller, call
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack
from tests.support.worker import RunningWorker, running_worker

pytestmark = pytest.mark.asyncio(loop_scope="session")

SORRY = say(Phrase.CUT_OFF, "en")
# What each of three callers says, and a word of it.
SAID = (
    ("sense_and_sensibility_0930", "amiable"),
    ("operator_check_number", "dial"),
    ("operator_nobody", "nobody"),
)
HANGING_S = 150.0
# A thread of the native library, of whose name the kernel keeps 15 letters.
DEVICE_THREAD = "SyntheticAudioDevice"[:15]
PLACES = {"WORKER_CALLS_PER_PROCESS": "4", "DRAIN_SECONDS": "0"}


def processes(data_dir: Path, conversations: list[str]) -> list[int]:
    """The processes of the calls of these conversations that are under way."""
    query = "SELECT pid FROM carriers WHERE conversation_id = ? AND call_id <> ''"
    with sqlite3.connect(data_dir / FILE_NAME) as db:
        found = [pid for conversation in conversations for (pid,) in db.execute(query, [conversation])]
    db.close()
    return found


async def until_said(stack: RunningStack, conversation: str, words: str) -> list[str]:
    """Wait until somebody has said this in a thread; returns the texts of it."""
    async with asyncio.timeout(HANGING_S):
        while True:
            texts = texts_of(await stack.thread(conversation))
            if any(words.lower() in text.lower() for text in texts):
                return texts
            await asyncio.sleep(0.1)


def texts_of(thread: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in thread]


async def greeted(worker: RunningWorker, conversations: list[str], exits: AsyncExitStack) -> list[Caller]:
    """A caller for each conversation, all at once, when each has been greeted."""
    calls = [exits.enter_async_context(call(*worker.joined(conversation))) for conversation in conversations]
    callers = await asyncio.gather(*calls)
    await asyncio.gather(*(caller.until_agent_speaks(0.0, HANGING_S) for caller in callers))
    await asyncio.gather(*(caller.until_agent_is_silent(timeout=HANGING_S) for caller in callers))
    return callers


async def test_three_calls_share_a_process(stack: RunningStack, tmp_path: Path) -> None:
    """All speak at the same moment; each thread has what was said in its call and nothing else. One hangs up, and the
    others are well; the process is killed, and both get their agent back, each in a process of its own and in their own
    thread."""
    conversations = [f"c_{uuid.uuid4().hex[:12]}" for _ in SAID]
    async with running_worker(stack, tmp_path, agent="shared", env=PLACES) as worker, AsyncExitStack() as exits:
        callers = await greeted(worker, conversations, exits)
        pids = processes(tmp_path, conversations)
        assert len(pids) == len(SAID)
        assert len(set(pids)) == 1
        spoken = await asyncio.gather(
            *(caller.say(*RECORDINGS[name].load()) for caller, (name, _) in zip(callers, SAID, strict=True))
        )
        for caller, at in zip(callers, spoken, strict=True):
            await caller.until_agent_speaks(at, HANGING_S)
        for conversation, (_, word) in zip(conversations, SAID, strict=True):
            texts = await until_said(stack, conversation, word)
            assert not any(other in text.lower() for text in texts for _, other in SAID if other != word)

        await callers[0].room.disconnect()
        await worker.until_metric(1, "voice_agent_calls_ended_total", HANGING_S, reason="hung up")
        await callers[1].until_agent_is_silent(timeout=HANGING_S)
        at = await callers[1].say(*RECORDINGS["sense_and_sensibility_0920"].load())
        await callers[1].until_agent_speaks(at, HANGING_S)
        await until_said(stack, conversations[1], "respectable")

        os.kill(pids[0], signal.SIGKILL)
        await worker.until_metric(2, "voice_agent_takeovers_total", HANGING_S, outcome="taken over")
        for conversation, (_, word) in list(zip(conversations, SAID, strict=True))[1:]:
            texts = await until_said(stack, conversation, SORRY)
            assert sum(word in text.lower() and text != SORRY for text in texts) >= 1
        after = processes(tmp_path, conversations[1:])
        assert set(after).isdisjoint(pids)
        assert len(set(after)) == 2  # whichever of them killed the process, it would do so alone


async def test_processes_that_are_not_needed_any_more_end(stack: RunningStack, tmp_path: Path) -> None:
    """Three call at once where two share a process; afterwards there is one process again, loaded for the next."""
    places = {**PLACES, "WORKER_CALLS_PER_PROCESS": "2"}
    async with running_worker(stack, tmp_path, agent="spare", env=places) as worker:
        conversations = [f"c_{uuid.uuid4().hex[:12]}" for _ in range(3)]
        async with AsyncExitStack() as exits:
            await greeted(worker, conversations, exits)
            pids = set(processes(tmp_path, conversations))
            assert len(pids) == 2
        await worker.until_metric(3, "voice_agent_calls_ended_total", HANGING_S, reason="hung up")
        async with asyncio.timeout(HANGING_S):
            while sum(os.path.exists(f"/proc/{pid}") for pid in pids) > 1:
                await asyncio.sleep(0.1)


def native_threads(worker: RunningWorker, *names: str) -> int:
    """How many threads of these names the worker's processes have."""
    family = psutil.Process(worker.process.pid).children(recursive=True)
    return sum(threads_named(process.pid, name) for process in family for name in names)


async def until_quiet(worker: RunningWorker, *names: str) -> None:
    """Wait until no process of the worker has a thread of these names."""
    async with asyncio.timeout(HANGING_S):
        while native_threads(worker, *names):
            await asyncio.sleep(0.1)


async def test_calls_leave_no_thread_of_the_native_library(stack: RunningStack, tmp_path: Path) -> None:
    """Their people hang up; the process is there for the next call."""
    conversations = [f"c_{uuid.uuid4().hex[:12]}" for _ in range(3)]
    async with running_worker(stack, tmp_path, agent="tidy", env=PLACES) as worker:
        async with AsyncExitStack() as exits:
            await greeted(worker, conversations, exits)
            (pid,) = set(processes(tmp_path, conversations))
            assert threads_named(pid, SOURCE_THREAD) == len(conversations)
        await until_quiet(worker, SOURCE_THREAD, DEVICE_THREAD)
        assert os.path.exists(f"/proc/{pid}")
