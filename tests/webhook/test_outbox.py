"""The queue of notices: written with what they tell of, in order, leased, bounded."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.journal import CallEvent, JournalError, Notice
from agent.journal.outbox import Lease
from agent.journal.processes import ProcessId
from tests.support.notices import begin_call, open_journal
from tests.support.stores import OpenJournal, Store
from tests.support.turns import make_turn

TARGET = "settings"


def lease(now: float, holder: str = "me", seconds: float = 60.0) -> Lease:
    return Lease(holder, now, now + seconds)


async def due_kinds(journal: OpenJournal, now: float = 1e12, holder: str = "me") -> list[str]:
    return [due.notice.kind for due in await journal.outbox.due(TARGET, lease(now, holder), 10)]


async def deliver_next(journal: OpenJournal) -> str:
    (due,) = await journal.outbox.due(TARGET, lease(1e12), 1)
    await journal.outbox.delivered(due.notice.id, 1e12)
    return due.notice.kind


async def test_a_call_queues_what_happens_in_it_in_order(journal: OpenJournal) -> None:
    """Its beginning, each turn and each tool that has ended; nothing else that is recorded."""
    call = await begin_call(journal, "call")
    await call.append(make_turn("said"), delivered=False)
    await call.append(make_turn("typed"), delivered=True)
    await call.record(CallEvent("call", 1.0, "error", {"stage": "llm"}))
    await call.record(CallEvent("call", 1.0, "tool", {"tool": "book", "status": "started"}))
    await call.record(CallEvent("call", 2.0, "tool", {"tool": "book", "status": "ok"}))
    assert [await deliver_next(journal) for _ in range(4)] == ["call.started", "turn", "turn", "tool"]
    assert await due_kinds(journal) == []


async def test_a_call_without_a_webhook_queues_nothing(journal: OpenJournal) -> None:
    """Nobody is told, and nothing is kept twice."""
    call = await begin_call(journal, "call", target=None)
    await call.append(make_turn("said"), delivered=False)
    assert await journal.outbox.targets() == []
    assert await journal.outbox.notices_of_call("call") == []


async def test_a_turn_that_is_written_twice_is_told_once(journal: OpenJournal) -> None:
    """The journal keeps the first one, and so does the queue."""
    call = await begin_call(journal)
    await call.append(make_turn("first", id="t"), delivered=False)
    await call.append(make_turn("second", id="t"), delivered=False)
    assert [await deliver_next(journal) for _ in range(2)] == ["call.started", "turn"]
    assert await due_kinds(journal) == []


async def test_a_turn_is_never_there_without_its_notice(tmp_path: Path) -> None:
    """Both are written in one transaction: when the notice cannot be, the turn is not either."""
    with open_journal(tmp_path) as journal:
        with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
            db.execute("ALTER TABLE notices RENAME TO elsewhere")
        with pytest.raises(JournalError, match="no such table"):
            await journal.append(make_turn("said"), notice=Notice("n", "call", "turn", 1.0, "{}"))
        assert await journal.entries_of_call("call") == []


async def test_only_the_first_waiting_notice_of_a_call_is_due(journal: OpenJournal) -> None:
    """A second one may not overtake it, even while the first one waits for its next attempt."""
    call = await begin_call(journal, "one")
    await call.append(make_turn("said"), delivered=False)
    await begin_call(journal, "two")
    due = await journal.outbox.due(TARGET, lease(1e12), 10)
    assert {(d.notice.call_id, d.notice.kind) for d in due} == {("one", "call.started"), ("two", "call.started")}
    first = next(d for d in due if d.notice.call_id == "one")
    await journal.outbox.postponed(first.notice.id, 2e12, "down", refused=False)
    assert [d.notice.call_id for d in await journal.outbox.due(TARGET, lease(1e12), 10)] == ["two"]
    (again,) = [d for d in await journal.outbox.due(TARGET, lease(3e12), 10) if d.notice.call_id == "one"]
    assert (again.notice, again.attempts, again.refusals) == (first.notice, 1, 0)


async def test_a_notice_that_failed_lets_the_next_one_go(journal: OpenJournal) -> None:
    """It is kept as failed, with the reason."""
    call = await begin_call(journal, "call")
    await call.append(make_turn("said"), delivered=False)
    (first,) = await journal.outbox.due(TARGET, lease(1e12), 10)
    await journal.outbox.failed(first.notice.id, 5.0, "answered 404, 3 times")
    assert await due_kinds(journal) == ["turn"]
    record = (await journal.outbox.notices_of_call("call"))[0]
    assert (record.failed_at, record.problem) == (5.0, "answered 404, 3 times")


async def test_two_workers_do_not_send_the_notices_of_one_call(journal: OpenJournal) -> None:
    """Until the lease ends, or is given back, the other one sees nothing of the call."""
    await begin_call(journal)
    assert await due_kinds(journal, 1e12, "one") == ["call.started"]
    assert await due_kinds(journal, 1e12, "two") == []
    assert await due_kinds(journal, 1e12 + 61, "two") == ["call.started"]
    await journal.outbox.leave("two")
    assert await due_kinds(journal, 1e12 + 61, "one") == ["call.started"]


async def test_what_was_said_is_not_kept_once_it_is_told(store: Store, journal: OpenJournal) -> None:
    """Neither of what was delivered nor of what was given up."""
    call = await begin_call(journal)
    for words in ("heliotrope", "heliotrope again"):
        await call.append(make_turn(words), delivered=False)
    await deliver_next(journal)
    await deliver_next(journal)
    (last,) = await journal.outbox.due(TARGET, lease(1e12), 10)
    await journal.outbox.failed(last.notice.id, 1.0, "no")
    assert store.kept_bodies() == 0


async def test_the_queue_is_bounded_in_time_and_in_number(store: Store, journal: OpenJournal) -> None:
    """What is too old is given up, and of what is too much the oldest; the report shows it."""
    call = await begin_call(journal, "call")
    store.set_age_of_notices(1000.0)
    for _ in range(5):
        await call.append(make_turn("said"), delivered=False)
    assert await journal.outbox.bound(at=9.0, oldest=2_000.0, most=100) == 1
    assert await journal.outbox.bound(at=9.0, oldest=2_000.0, most=2) == 3
    assert await journal.outbox.bound(at=9.0, oldest=2_000.0, most=2) == 0
    problems = [record.problem for record in await journal.outbox.notices_of_call("call")]
    assert problems == ["waited too long", *["the queue was full"] * 3, None, None]


async def test_old_calls_leave_nothing_behind(store: Store, journal: OpenJournal) -> None:
    """What was told and settled goes with the call; what still waits is not forgotten."""
    done, waiting = await begin_call(journal, "done"), await begin_call(journal, "waiting")
    for call_id, call in (("done", done), ("waiting", waiting)):
        await call.ended("hung up")
        await journal.outbox.settle(call_id, 5.0, None)
    (notice,) = [d for d in await journal.outbox.due(TARGET, lease(1e12), 10) if d.notice.call_id == "done"]
    await journal.outbox.delivered(notice.notice.id, 5.0)
    await journal.prune(1e12)
    assert await journal.outbox.notices_of_call("done") == []
    assert store.unfinished_business() == (["waiting"], 0)
    assert await due_kinds(journal, 2e12) == ["call.started"]


async def test_a_running_call_is_known_from_a_dead_one(store: Store, journal: OpenJournal) -> None:
    """A call without an end runs as long as its process does; it is not removed before."""
    await begin_call(journal, "ours")
    await begin_call(journal, "killed")
    await (await begin_call(journal, "over")).ended("hung up")
    me = ProcessId.current()
    store.set_process_of_call("killed", ProcessId(me.pid, me.started - 60))
    assert await journal.running_calls() == {"ours"}
    await journal.prune(1e12)
    assert [call.id for call in await journal.calls(10)] == ["ours"]
