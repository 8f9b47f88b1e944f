"""What calls have left undelivered, and what waits for it: no turn comes before those that were said before it."""

import asyncio
from dataclasses import replace

import pytest

from agent.journal import CallRecord, Journal
from agent.journal.forgiving import CallJournal
from agent.turns import Turn
from tests.support.stores import Store, open_at
from tests.support.turns import make_turn
from tests.unit.test_carriers import ids, other_process


def said_in(call: str, turn_id: str) -> Turn:
    """A turn of a call of conversation `c`."""
    return replace(make_turn(turn_id, id=turn_id), call_id=call)


def call_of(journal: Journal, name: str) -> CallJournal:
    """A call of conversation `c` as it sees the journal."""
    return CallJournal(journal, CallRecord(name, "c", "room", 1.0))


async def still_waits(waiting: asyncio.Task[list[Turn]]) -> bool:
    """Whether a call waits for others; it looks several times meanwhile."""
    await asyncio.wait({waiting}, timeout=0.5)
    return not waiting.done()


async def test_a_call_waits_for_the_last_words_of_the_one_before_it(store: Store) -> None:
    """Hung up and called again at once: the first call still delivers, or leaves them, however long that takes."""
    with open_at(store.place) as journal:
        async with other_process(store) as other:
            waiting = asyncio.create_task(call_of(journal, "new").leftovers())
            assert await still_waits(waiting)
            await journal.mark_delivered("1", 1)
            assert await still_waits(waiting)
            other.kill()
            assert ids(await asyncio.wait_for(waiting, 10)) == ["2"]


async def test_a_call_waits_until_the_worker_has_brought_what_is_left(store: Store) -> None:
    """What is said in it comes after that."""
    with open_at(store.place) as journal:
        await journal.append(said_in("earlier", "left"))
        async with other_process(store, claims=True) as worker:
            waiting = asyncio.create_task(call_of(journal, "new").leftovers())
            assert await still_waits(waiting)
            worker.kill()
            assert ids(await asyncio.wait_for(waiting, 10)) == ["left"]


async def test_what_a_later_call_left_is_not_brought_before_a_calls_own(store: Store) -> None:
    """While a call waited, the next one was begun and killed: its turns come after those of the call that waited."""
    with open_at(store.place) as journal:
        await journal.append(said_in("first", "1"))
        async with other_process(store, claims=True) as worker:
            second = call_of(journal, "second")
            await second.started()
            await second.append(said_in("second", "2"), delivered=False)
            waiting = asyncio.create_task(second.leftovers())
            await journal.append(said_in("third, killed", "3"))
            assert await still_waits(waiting)
            worker.kill()
            assert ids(await asyncio.wait_for(waiting, 10)) == ["1"]


async def test_nobody_brings_what_was_said_after_a_turn_that_a_living_call_brings(store: Store) -> None:
    """The worker leaves alone what a killed call left, while an earlier one is still delivering; then it brings it."""
    with open_at(store.place) as journal:
        async with other_process(store):
            await journal.append(said_in("killed", "3"))
            assert await journal.conversations_pending() == []
            assert await journal.claim("c") == []
            await journal.mark_delivered("1", 1)
            assert await journal.conversations_pending() == []
            await journal.mark_delivered("2", 2)
            assert await journal.conversations_pending() == ["c"]
            assert ids(await journal.claim("c")) == ["3"]


async def test_what_was_left_before_a_living_calls_turns_is_brought_at_once(store: Store) -> None:
    """That call waits for it; its own turns are its own affair."""
    with open_at(store.place) as journal:
        await journal.append(said_in("killed", "0"))
        async with other_process(store):
            assert await journal.conversations_pending() == ["c"]
            assert ids(await journal.claim("c")) == ["0"]


async def test_a_turn_that_the_server_does_not_take_holds_up_nobody(store: Store) -> None:
    """The call that has it lives on; the next one and the worker go on. After it the worker tries it again."""
    with open_at(store.place) as journal:
        async with other_process(store):
            await journal.mark_given_up("1")
            await journal.mark_delivered("2", 2)
            assert await asyncio.wait_for(call_of(journal, "new").leftovers(), 10) == []
            await journal.append(said_in("killed", "3"))
            assert await journal.conversations_pending() == ["c"]
            assert ids(await journal.pending("c")) == ["3"]
        assert ids(await journal.pending("c")) == ["1", "3"]


@pytest.mark.parametrize("last", ["delivered", "given up"])
async def test_a_call_gives_its_claim_up_with_the_last_turn_of_others(store: Store, last: str) -> None:
    """What is left from then on is for others; it claims nothing when nothing is left."""
    with open_at(store.place) as journal:
        call = call_of(journal, "new")
        assert await call.leftovers() == []
        assert store.carriers() == []
        for number in "12":
            await journal.append(said_in("killed", number))
        assert ids(await call.leftovers()) == ["1", "2"]
        await call.mark_delivered("1", 1)
        assert store.carriers() == [""]
        await (call.mark_delivered("2", 2) if last == "delivered" else call.mark_given_up("2"))
        assert store.carriers() == []


async def test_two_calls_at_once_wait_for_nothing_that_the_other_says_later(store: Store) -> None:
    """Else they would wait for each other."""
    with open_at(store.place) as journal:
        await journal.append(said_in("new", "0"))
        async with other_process(store):
            assert await asyncio.wait_for(call_of(journal, "new").leftovers(), 10) == []
