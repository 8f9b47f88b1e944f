"""The journal in either store: durable, append-only, in order."""

import time

from agent.journal import CallEvent, CallRecord
from tests.support.stores import Store, open_at
from tests.support.turns import make_turn


async def test_turns_wait_in_order_until_they_are_delivered(store: Store) -> None:
    """What the thread has not acknowledged comes back in the order of the conversation."""
    with open_at(store.place) as journal:
        first, second, third = make_turn("1"), make_turn("2"), make_turn("3")
        for turn in (first, second, third):
            await journal.append(turn)
        await journal.mark_delivered(second.id, 7)
        assert await journal.pending("c") == [first, third]
        assert [entry.turn.seq for entry in await journal.entries_of_call("call")] == [None, 7, None]


async def test_the_same_id_stands_once(store: Store) -> None:
    """A turn that is written twice is kept as it was first."""
    with open_at(store.place) as journal:
        await journal.append(make_turn("first", id="x"))
        await journal.append(make_turn("second", id="x"))
        assert [turn.text for turn in await journal.pending("c")] == ["first"]


async def test_turns_outlive_the_process_that_wrote_them(store: Store) -> None:
    """What was appended is there for the next worker, without any closing."""
    writer = open_at(store.place)
    await writer.append(make_turn("kept"))
    with open_at(store.place) as reader:
        assert [turn.text for turn in await reader.pending("c")] == ["kept"]
        assert await reader.conversations_pending() == ["c"]
    writer.close()


async def test_two_processes_share_one_file(store: Store) -> None:
    """Jobs write side by side; each sees the other's turns."""
    with open_at(store.place) as one, open_at(store.place) as other:
        for number in range(20):
            await (one if number % 2 else other).append(make_turn(str(number)))
        assert [turn.text for turn in await one.pending("c")] == [str(number) for number in range(20)]


async def test_a_turn_from_the_thread_is_not_sent_again(store: Store) -> None:
    """A turn that was typed in the thread is kept for the report and counts as delivered."""
    with open_at(store.place) as journal:
        await journal.append(make_turn("typed"), delivered=True)
        assert await journal.pending("c") == []
        assert len(await journal.entries_of_call("call")) == 1


async def test_the_first_reason_of_an_end_stands(store: Store) -> None:
    """A call ends once."""
    with open_at(store.place) as journal:
        await journal.call_started(CallRecord("call", "c", "room", 1.0))
        await journal.call_ended("call", "hung up")
        await journal.call_ended("call", "job shutdown")
        assert [call.reason for call in await journal.calls(10)] == ["hung up"]


async def test_what_happens_in_a_call_is_kept_in_order(store: Store) -> None:
    """Errors and fallbacks are there for the report, with their details."""
    with open_at(store.place) as journal:
        events = [CallEvent("call", float(n), "error", {"stage": "tts", "attempt": n}) for n in range(3)]
        for event in (*events, CallEvent("other", 9.0, "error")):
            await journal.record(event)
        assert await journal.events_of_call("call") == events


async def test_only_what_is_old_and_delivered_is_removed(store: Store) -> None:
    """The file does not grow for ever, and an undelivered turn is never given up."""
    with open_at(store.place) as journal:
        waiting, done = make_turn("waiting"), make_turn("done")
        await journal.append(waiting)
        await journal.append(done)
        await journal.mark_delivered(done.id, 1)
        await journal.call_started(CallRecord("call", "c", "room", 1.0))
        await journal.call_ended("call", "hung up")
        await journal.record(CallEvent("call", 2.0, "error"))
        assert await journal.prune(time.time() - 3600) == 0
        assert await journal.prune(time.time() + 3600) == 1
        assert [entry.turn for entry in await journal.entries_of_call("call")] == [waiting]
        assert len(await journal.calls(10)) == 1
        await journal.mark_delivered(waiting.id, 2)
        assert await journal.prune(time.time() + 3600) == 1
        assert await journal.calls(10) == []
        assert await journal.prune(time.time() + 3600) == 0
        assert await journal.events_of_call("call") == []
