"""Leases of rooms in either store: one holder at a time, epochs that only rise, and a fence in the step that writes."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from agent.journal import Fence, Fenced
from agent.journal.processes import ProcessId
from agent.leases import Holder, LeaseStore, RoomTaken, Tenancy, Tenure
from agent.leases.tenure import TTL_S
from tests.support.stores import OpenJournal, Store
from tests.support.turns import make_turn

TENANCY = Tenancy("room", "call", "c", "agent", "dispatch")
NEXT = Tenancy("room", "next call", "c", "next agent", "next dispatch")
# A process of another host, of which nothing is known here.
ELSEWHERE = str(Holder("elsewhere", ProcessId(1, 2.0)))
LONG_S = 60.0


@pytest.fixture
def leases(store: Store, journal: OpenJournal) -> Iterator[LeaseStore]:
    opened = store.leases()
    yield opened
    opened.close()


def test_a_room_has_one_holder(leases: LeaseStore) -> None:
    """A second agent is turned away until the first one is done; then the epoch has risen."""
    first = leases.take(TENANCY, ELSEWHERE, LONG_S)
    assert first is not None
    assert (first.tenancy, first.epoch, first.resumes) == (TENANCY, 1, "")
    assert leases.take(NEXT, ELSEWHERE, LONG_S) is None
    leases.release(first)
    second = leases.take(NEXT, ELSEWHERE, LONG_S)
    assert second is not None
    assert (second.epoch, second.resumes, second.takeovers) == (2, "", 0)


def test_of_many_takers_one_has_the_room(store: Store, leases: LeaseStore) -> None:
    """However closely they come after each other, over connections of their own."""
    barrier = threading.Barrier(8)

    def take(number: int) -> bool:
        own = store.leases()
        try:
            barrier.wait(30)
            return own.take(replace(TENANCY, call_id=str(number)), f"elsewhere#{number}@1.00", LONG_S) is not None
        finally:
            own.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1


def test_a_lease_that_is_renewed_does_not_lapse(leases: LeaseStore) -> None:
    """One that was not renewed in time is seen by whoever looks, with what the agent was saying."""
    lease = leases.take(TENANCY, ELSEWHERE, -1.0)
    assert lease is not None
    assert [found.tenancy for found in leases.lapsed()] == [TENANCY]
    assert leases.renew(lease, LONG_S, "Hello")
    assert leases.lapsed() == []
    assert leases.renew(lease, -1.0, "Hello there")
    assert [found.saying for found in leases.lapsed()] == ["Hello there"]


def test_a_dead_process_of_this_host_is_seen_before_its_lease_lapses(leases: LeaseStore) -> None:
    """Its number tells, as soon as it is gone; a living one's lease is its own."""
    mine, me = str(Holder.current()), ProcessId.current()
    assert leases.take(TENANCY, mine, LONG_S) is not None
    assert leases.lapsed() == []
    dead = str(replace(Holder.current(), process=ProcessId(me.pid, me.started - 60)))
    other = replace(TENANCY, room="other")
    assert leases.take(other, dead, LONG_S) is not None
    assert [lease.tenancy for lease in leases.lapsed()] == [other]
    taken = leases.take(replace(other, call_id="next"), mine, LONG_S)
    assert taken is not None
    assert (taken.epoch, taken.resumes) == (2, "call")


def test_a_takeover_is_begun_by_one(store: Store, leases: LeaseStore) -> None:
    """Two workers see the same lapsed lease; one of them reserves it, and only its dispatch may take the room."""
    other = store.leases()
    assert leases.take(TENANCY, ELSEWHERE, -1.0) is not None
    (seen,), (seen_by_other,) = leases.lapsed(), other.lapsed()
    reserved = leases.reserve(seen, "takeover:one", LONG_S)
    assert reserved is not None
    assert reserved.epoch == 2
    assert other.reserve(seen_by_other, "takeover:other", LONG_S) is None
    assert other.take(NEXT, ELSEWHERE, LONG_S) is None
    assert leases.await_dispatch(reserved, NEXT.dispatch_id, LONG_S)
    assert other.take(replace(NEXT, dispatch_id="another dispatch"), ELSEWHERE, LONG_S) is None
    taken = other.take(NEXT, ELSEWHERE, LONG_S)
    assert taken is not None
    assert (taken.epoch, taken.resumes, taken.takeovers) == (3, "call", 1)
    other.close()


def test_who_lost_a_lease_can_do_nothing_with_it(leases: LeaseStore) -> None:
    """Neither renew nor release nor abandon what is another one's now."""
    old = leases.take(TENANCY, ELSEWHERE, -1.0)
    new = leases.take(NEXT, ELSEWHERE, LONG_S)
    assert old is not None
    assert new is not None
    assert not leases.renew(old, LONG_S)
    leases.release(old)
    leases.abandon(old)
    assert not leases.await_dispatch(old, "d", LONG_S)
    assert leases.reserve(old, "takeover:late", LONG_S) is None
    assert leases.lapsed() == []
    assert leases.renew(new, LONG_S)


def test_a_lease_that_is_renewed_after_all_is_not_taken_over(leases: LeaseStore) -> None:
    """Its process was only slow."""
    lease = leases.take(TENANCY, ELSEWHERE, -1.0)
    (seen,) = leases.lapsed()
    assert lease is not None
    assert leases.renew(lease, LONG_S)
    assert leases.reserve(seen, "takeover:one", LONG_S) is None


def test_an_abandoned_room_is_taken_over_at_once(leases: LeaseStore) -> None:
    """A worker that ends hands its calls over."""
    lease = leases.take(TENANCY, ELSEWHERE, LONG_S)
    assert lease is not None
    leases.abandon(lease)
    assert [found.tenancy for found in leases.lapsed()] == [TENANCY]
    taken = leases.take(NEXT, ELSEWHERE, LONG_S)
    assert taken is not None
    assert taken.resumes == "call"


def test_takeovers_in_a_row_are_counted(leases: LeaseStore) -> None:
    """Another conversation in the room begins anew."""
    for number in range(3):
        lease = leases.take(replace(TENANCY, call_id=str(number)), ELSEWHERE, -1.0)
        assert lease is not None
        assert (lease.epoch, lease.takeovers) == (number + 1, number)
    fresh = leases.take(replace(TENANCY, conversation_id="another"), ELSEWHERE, LONG_S)
    assert fresh is not None
    assert (fresh.epoch, fresh.takeovers, fresh.resumes) == (4, 0, "")


def test_what_a_call_was_dispatched_with_is_kept_until_it_is_over(leases: LeaseStore) -> None:
    """Whoever takes it over finds it, however often its lease changed hands; then the next call's is kept."""
    first = leases.take(TENANCY, ELSEWHERE, LONG_S, '{"agent": "reception"}')
    assert first is not None
    assert leases.renew(first, -1.0, "Hello")
    reserved = leases.reserve(first, "takeover:one", LONG_S)
    assert reserved is not None
    assert leases.await_dispatch(reserved, NEXT.dispatch_id, LONG_S)
    assert leases.job_of(reserved) == '{"agent": "reception"}'
    second = leases.take(NEXT, ELSEWHERE, LONG_S, '{"agent": "bookings"}')
    assert second is not None
    leases.release(first)
    assert leases.job_of(second) == '{"agent": "bookings"}'
    leases.release(second)
    assert leases.job_of(second) == ""


async def test_who_lost_a_room_cannot_write(journal: OpenJournal, leases: LeaseStore) -> None:
    """From the reservation on: the epoch is checked in the step that writes."""
    lease = leases.take(TENANCY, ELSEWHERE, -1.0)
    assert lease is not None
    await journal.append(make_turn("before", id="1"), fence=lease.fence)
    assert leases.reserve(lease, "takeover:one", LONG_S) is not None
    with pytest.raises(Fenced):
        await journal.append(make_turn("after", id="2"), fence=lease.fence)
    assert [entry.turn.id for entry in await journal.entries_of_call("call")] == ["1"]


async def test_nothing_is_written_by_two_at_once(journal: OpenJournal, leases: LeaseStore) -> None:
    """While a room changes hands again and again, turns of an older epoch never come after one of a newer."""
    done = asyncio.Event()

    async def write(epoch: int) -> None:
        number = 0
        try:
            while not done.is_set():
                await journal.append(make_turn(str(epoch), id=f"{epoch}-{number}"), fence=Fence("room", epoch))
                number += 1
        except Fenced:
            return

    assert leases.take(TENANCY, ELSEWHERE, -1.0) is not None
    writers = [asyncio.create_task(write(1))]
    for epoch in range(2, 12):
        await asyncio.sleep(0.02)
        taken = await asyncio.to_thread(leases.take, TENANCY, ELSEWHERE, -1.0)
        assert taken is not None
        assert taken.epoch == epoch
        writers.append(asyncio.create_task(write(epoch)))
    done.set()
    await asyncio.gather(*writers)
    epochs = [int(entry.turn.text) for entry in await journal.entries_of_call("call")]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) > 5


async def test_a_tenure_holds_a_room_past_its_first_lease(store: Store, journal: OpenJournal) -> None:
    """It renews in time; the next agent has the room when it is given up."""
    tenure = await Tenure.begin(store.leases(), TENANCY)
    watcher = store.leases()
    until = time.monotonic() + 1.5 * TTL_S
    while time.monotonic() < until:
        assert await asyncio.to_thread(watcher.lapsed) == []
        await asyncio.sleep(0.1)
    await tenure.release()
    follower = await Tenure.begin(store.leases(), NEXT)
    assert follower.lease is not None
    assert follower.lease.epoch == 2
    await follower.release()
    watcher.close()


async def test_a_tenure_hears_that_it_lost_its_room(
    store: Store, leases: LeaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease lapsed, another one took the room: its call is told, once."""
    monkeypatch.setattr("agent.leases.tenure.TTL_S", -1.0)
    tenure = await Tenure.begin(store.leases(), TENANCY)
    lost = asyncio.Event()
    tenure.when_lost(lost.set)
    assert await asyncio.to_thread(leases.take, NEXT, ELSEWHERE, LONG_S) is not None
    await asyncio.wait_for(lost.wait(), 30)
    await tenure.release()
    assert await asyncio.to_thread(leases.lapsed) == []


async def test_a_taken_room_turns_an_agent_away(
    store: Store, leases: LeaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some patience: who is there may just be saying goodbye."""
    monkeypatch.setattr("agent.leases.tenure.PATIENCE_S", 0.2)
    assert leases.take(TENANCY, ELSEWHERE, LONG_S) is not None
    with pytest.raises(RoomTaken):
        await Tenure.begin(store.leases(), NEXT)
