"""Who brings which turns to the thread: a living call its own, one process what calls have left, a dead one nothing."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from agent.journal import CallRecord
from agent.journal.processes import ProcessId
from agent.turns import Turn
from tests.support.stores import Store, open_at
from tests.support.turns import make_turn

ROOT = Path(__file__).parents[2]
# Begins a call of conversation `c` with two turns, or claims what is left there, says so, and waits.
OTHER = """
import asyncio, sys
from agent.journal import CallRecord
from tests.support.stores import open_at
from tests.support.turns import make_turn
async def main(place, claims):
    journal = open_at(place)
    if claims:
        await journal.claim("c")
    else:
        await journal.call_started(CallRecord("call", "c", "room", 1.0))
        await journal.append(make_turn("1", id="1"))
        await journal.append(make_turn("2", id="2"))
    print("ready", flush=True)
    sys.stdin.read()
asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def other_process(store: Store, *, claims: bool = False) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that has written to the journal and lives until the end of the block."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OTHER, store.place, "yes" * claims, cwd=ROOT, stdin=pipe, stdout=pipe
    )
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def ids(turns: list[Turn] | None) -> list[str]:
    """Which turns they are."""
    assert turns is not None
    return [turn.id for turn in turns]


async def test_a_living_calls_turns_are_left_alone_and_a_dead_ones_are_not(store: Store) -> None:
    """The worker delivers nothing that a call is delivering itself, and everything once its process is gone."""
    with open_at(store.place) as journal:
        async with other_process(store):
            assert await journal.conversations_pending() == []
            assert await journal.pending("c") == []
        assert await journal.conversations_pending() == ["c"]
        assert ids(await journal.pending("c")) == ["1", "2"]


async def test_a_killed_process_that_nobody_waited_for_is_dead(store: Store) -> None:
    """livekit's forkserver may leave it a zombie for a while."""
    with open_at(store.place) as journal:
        child = os.fork()
        if child == 0:
            os._exit(0)
        while psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)
        child_process = ProcessId(child, psutil.Process(child).create_time() - psutil.boot_time())
        await journal.call_started(CallRecord("call", "c", "room", 1.0))
        await journal.append(make_turn("1"))
        assert await journal.pending("c") == []
        store.set_carrier("call", child_process)
        assert len(await journal.pending("c")) == 1
        os.waitpid(child, 0)
        assert len(await journal.pending("c")) == 1


async def test_another_process_with_the_same_number_is_not_the_dead_one(store: Store) -> None:
    """Numbers are given again: the time of its start tells the two apart."""
    with open_at(store.place) as journal:
        await journal.call_started(CallRecord("call", "c", "room", 1.0))
        await journal.append(make_turn("1"))
        me = ProcessId.current()
        store.set_carrier("call", ProcessId(me.pid, me.started - 1))
        assert len(await journal.pending("c")) == 1


async def test_a_call_that_hands_over_or_ends_leaves_its_turns(store: Store) -> None:
    """It gave the chat up, or it is over: others deliver what it could not."""
    with open_at(store.place) as journal:
        for name, leave in (("a", journal.hand_over("a")), ("b", journal.call_ended("b", "hung up"))):
            await journal.call_started(CallRecord(name, name, "room", 1.0))
            await journal.append(replace(make_turn(name, id=name, conversation=name), call_id=name))
            assert await journal.pending(name) == []
            await leave
            assert [turn.id for turn in await journal.pending(name)] == [name]


async def test_one_process_at_a_time_brings_what_is_left(store: Store) -> None:
    """The others are told that somebody is at it; a dead one's claim counts for nothing, nor does one on nothing."""
    with open_at(store.place) as journal:
        assert await journal.claim("c") == []
        assert store.carriers() == []
        for conversation in ("c", "another"):
            await journal.append(make_turn("left", id=f"left in {conversation}", conversation=conversation))
        async with other_process(store, claims=True):
            assert await journal.claim("c") is None
            assert ids(await journal.claim("another")) == ["left in another"]
        assert ids(await journal.claim("c")) == ["left in c"]
        assert ids(await journal.claim("c")) == ["left in c"]


async def test_rows_of_dead_processes_are_removed_with_time(store: Store) -> None:
    """Pruning forgets who is gone, and nobody who lives."""
    with open_at(store.place) as journal:
        async with other_process(store):
            await journal.prune(0.0)
            assert store.carriers() == ["call"]
        await journal.call_started(CallRecord("mine", "c", "room", 1.0))
        await journal.prune(0.0)
        assert store.carriers() == ["mine"]
