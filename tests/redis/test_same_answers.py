"""Whatever is asked in whatever order, the store in Redis answers as the one in a file does."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from agent.journal import Aftercare, CallEvent, CallRecord, Fence, Fenced, Notice
from agent.journal.outbox import Lease as Held
from agent.journal.processes import ProcessId
from agent.leases import Holder, Lease, LeaseStore, Tenancy
from agent.turns import Turn
from tests.support.redis_server import RedisServer
from tests.support.stores import OpenJournal, RedisStore, SqliteStore, Store, open_at
from tests.support.turns import make_turn

CALLS, CONVERSATIONS, NOTICES = (st.sampled_from(names) for names in ("abc", "xy", "123456"))
TURNS = st.integers(0, 12).map(str)
TTLS = st.sampled_from((-1.0, 600.0))
HOLDERS = st.sampled_from([str(Holder(host, ProcessId(1, 2.0))) for host in ("elsewhere", "another")])
EXAMPLES = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@contextmanager
def both_stores(server: RedisServer) -> Iterator[tuple[Store, Store]]:
    """An empty store of each kind."""
    with tempfile.TemporaryDirectory() as folder, server.client() as client:
        client.flushall()
        in_redis = RedisStore(server)
        try:
            yield SqliteStore(Path(folder)), in_redis
        finally:
            in_redis.close()


class Machine(RuleBasedStateMachine):
    """Both stores, and how they are compared."""

    server: ClassVar[RedisServer]

    def __init__(self) -> None:
        super().__init__()
        self.exits = ExitStack()
        self.stores = self.exits.enter_context(both_stores(self.server))
        self.journals = [open_at(store.place) for store in self.stores]
        for journal in self.journals:
            self.exits.callback(journal.close)
        self.loop = asyncio.Runner()

    def teardown(self) -> None:
        """End both."""
        self.loop.close()
        self.exits.close()

    def same(self, ask: Callable[[OpenJournal], Awaitable[Any]]) -> Any:
        """Ask both; the answers are equal, or both refuse."""

        async def answers() -> list[Any]:
            given: list[Any] = []
            for journal in self.journals:
                try:
                    given.append(await ask(journal))
                except Fenced:
                    given.append("fenced")
            return given

        in_file, in_redis = self.loop.run(answers())
        assert in_redis == in_file
        return in_file


async def write(turn: Turn, journal: OpenJournal) -> None:
    await journal.append(turn)


class Turns(Machine):
    """Turns, who brings them, and what is removed."""

    said = 0

    @rule(turn=TURNS, call=CALLS, conversation=CONVERSATIONS, delivered=st.booleans(), epoch=st.integers(0, 1))
    def append(self, turn: str, call: str, conversation: str, delivered: bool, epoch: int) -> None:
        """Also one that is there already, and with a fence that does not hold."""
        written = replace(make_turn(turn, id=turn, conversation=conversation), call_id=call)
        fence = Fence("no such room", epoch) if epoch else None
        self.same(lambda journal: journal.append(written, delivered=delivered, fence=fence))

    @rule(calls=st.lists(CALLS, min_size=1, max_size=4), begun=CALLS)
    def talk(self, calls: list[str], begun: str) -> None:
        """Several calls say something, one of them begins."""
        self.started(begun, "x")
        for call in calls:
            self.said += 1
            said = replace(make_turn("said", id=f"said {self.said}", conversation="x"), call_id=call)
            self.same(partial(write, said))
        self.claim("x", begun)
        self.read("x", begun, 4)

    @rule(turn=TURNS, seq=st.none() | st.integers(1, 9))
    def delivered(self, turn: str, seq: int | None) -> None:
        """Also one that is not there."""
        self.same(lambda journal: journal.mark_delivered(turn, seq))

    @rule(turn=TURNS)
    def given_up(self, turn: str) -> None:
        """The server does not take it."""
        self.same(lambda journal: journal.mark_given_up(turn))

    @rule(call=CALLS, conversation=CONVERSATIONS)
    def started(self, call: str, conversation: str) -> None:
        """Also again."""
        self.same(lambda journal: journal.call_started(CallRecord(call, conversation, "room", ord(call))))

    @rule(call=CALLS)
    def hand_over(self, call: str) -> None:
        """It brings nothing any more."""
        self.same(lambda journal: journal.hand_over(call))

    @rule(call=CALLS, reason=st.sampled_from(("hung up", "crashed")))
    def ended(self, call: str, reason: str) -> None:
        """Also twice."""
        self.same(lambda journal: journal.call_ended(call, reason))

    @rule(call=CALLS)
    def dies(self, call: str) -> None:
        """A process of this host is gone."""
        dead = ProcessId(ProcessId.current().pid, 1.0)
        for store in self.stores:
            if call in store.carriers():
                store.set_carrier(call, dead)

    @rule(conversation=CONVERSATIONS, before=st.none() | CALLS)
    def claim(self, conversation: str, before: str | None) -> None:
        """What calls have left."""
        self.same(lambda journal: journal.claim(conversation, before=before))
        assert self.stores[0].carriers().count("") == self.stores[1].carriers().count("")

    @rule(conversation=CONVERSATIONS)
    def release(self, conversation: str) -> None:
        """Also what was not claimed."""
        self.same(lambda journal: journal.release(conversation))

    @rule(call=CALLS, kind=st.sampled_from(("error", "tool")), at=st.floats(0, 2e9))
    def record(self, call: str, kind: str, at: float) -> None:
        """Something happens."""
        self.same(lambda journal: journal.record(CallEvent(call, at, kind, {"text": "ä\n", "n": 1})))

    @rule(ahead=st.sampled_from((-3600.0, 3600.0)))
    def prune(self, ahead: float) -> None:
        """Nothing, or all that came to an end."""
        before = time.time() + ahead
        self.same(lambda journal: journal.prune(before))

    @rule(conversation=CONVERSATIONS, call=CALLS, limit=st.integers(0, 4))
    def read(self, conversation: str, call: str, limit: int) -> None:
        """Everything that can be read."""

        async def read(journal: OpenJournal) -> tuple[Any, ...]:
            return (
                await journal.pending(conversation),
                await journal.conversations_pending(),
                await journal.latest_turns(conversation, limit),
                (await journal.backlog()).turns,
                [(entry.turn, entry.delivered_at is None) for entry in await journal.entries_of_call(call)],
                [replace(record, ended_at=record.ended_at and 1.0) for record in await journal.calls(limit)],
                await journal.running_calls(),
                await journal.events_of_call(call),
                await journal.events_of_conversation(conversation, "tool"),
            )

        self.same(read)


class Owed(Machine):
    """Notices and what is to be done after calls."""

    @rule(call=CALLS, notice=NOTICES, to=st.sampled_from((None, "here", "there")), owed=st.booleans())
    def started(self, call: str, notice: str, to: str | None, owed: bool) -> None:
        """With something owed for it, or not."""
        aftercare = Aftercare("plan", to) if owed else None
        queued = Notice(notice, call, "call.started", 1.0, "{}")
        self.same(lambda journal: journal.call_started(CallRecord(call, "c", "room", ord(call)), aftercare, queued))

    @rule(call=CALLS, notice=NOTICES)
    def record(self, call: str, notice: str) -> None:
        """With a notice, perhaps one that was queued before."""
        queued = Notice(notice, call, "tool", 1.0, "{}")
        self.same(lambda journal: journal.record(CallEvent(call, 1.0, "tool"), queued))

    @rule(call=CALLS)
    def ended(self, call: str) -> None:
        """It is over."""
        self.same(lambda journal: journal.call_ended(call, "hung up"))

    @rule(holder=st.sampled_from(("one", "other")), now=st.sampled_from((3e9, 4e9)), limit=st.integers(1, 3))
    def over(self, holder: str, now: float, limit: int) -> None:
        """Calls to be settled."""

        async def ask(journal: OpenJournal) -> list[Any]:
            over = await journal.outbox.calls_over(Held(holder, now, now + 5e8), limit)
            return [(found.call.id, found.plan, found.target, found.summary) for found in over]

        self.same(ask)

    @rule(to=st.sampled_from(("here", "there")), holder=st.sampled_from(("one", "other")))
    def due(self, to: str, holder: str) -> None:
        """The first notice of each call; when all is asked for, as the order of those due at once is not promised."""

        async def ask(journal: OpenJournal) -> list[Any]:
            due = await journal.outbox.due(to, Held(holder, 4e9, 4.5e9), 99)
            return sorted((found.notice.id, found.notice.call_id, found.attempts, found.refusals) for found in due)

        self.same(ask)

    @rule(notice=NOTICES, fate=st.sampled_from(("delivered", "postponed", "refused", "failed")))
    def told(self, notice: str, fate: str) -> None:
        """What became of a notice that waits."""

        async def tell(journal: OpenJournal) -> None:
            records = [r for call in "abc" for r in await journal.outbox.notices_of_call(call) if r.id == notice]
            if not records or records[0].delivered_at is not None or records[0].failed_at is not None:
                return
            if fate == "delivered":
                await journal.outbox.delivered(notice, 2e9)
            elif fate == "failed":
                await journal.outbox.failed(notice, 2e9, "no")
            else:
                await journal.outbox.postponed(notice, 3e9, "later", refused=fate == "refused")

        self.same(tell)

    @rule(most=st.integers(0, 6))
    def bound(self, most: int) -> None:
        """Too many are given up."""
        self.same(lambda journal: journal.outbox.bound(2e9, 1.0, most))

    @rule(holder=st.sampled_from(("one", "other")))
    def leave(self, holder: str) -> None:
        """A worker ends."""
        self.same(lambda journal: journal.outbox.leave(holder))

    @rule(call=CALLS, notice=st.none() | NOTICES)
    def settle(self, call: str, notice: str | None) -> None:
        """All is done."""
        last = Notice(notice, call, "call.ended", 1.0, "{}") if notice is not None else None
        self.same(lambda journal: journal.outbox.settle(call, 2e9, last))

    @rule(call=CALLS, text=st.sampled_from(("{}", '{"a":1}')))
    def summarise(self, call: str, text: str) -> None:
        """The first one stands."""
        self.same(lambda journal: journal.outbox.keep_summary(call, text))

    @rule(before=st.sampled_from((1.5e9, 1e11)))
    def prune(self, before: float) -> None:
        """Nothing, or all that came to an end."""
        self.same(lambda journal: journal.prune(before))

    @rule(call=CALLS)
    def read(self, call: str) -> None:
        """What is known of the queue."""

        async def read(journal: OpenJournal) -> tuple[Any, ...]:
            notices = await journal.outbox.notices_of_call(call)
            return (
                sorted(await journal.outbox.targets()),
                await journal.outbox.summary_of_call(call),
                [astuple(replace(notice, queued_at=0.0)) for notice in notices],
            )

        self.same(read)


class Rooms(Machine):
    """Leases of one room."""

    def __init__(self) -> None:
        super().__init__()
        self.leases: list[LeaseStore] = [store.leases() for store in self.stores]
        for opened in self.leases:
            self.exits.callback(opened.close)
        self.known: list[tuple[Lease, ...]] = []

    def ask(self, ask: Callable[[LeaseStore, int], Any]) -> tuple[Any, ...]:
        """Ask both; the answers are equal but for the time."""
        answers = tuple(ask(leases, number) for number, leases in enumerate(self.leases))
        in_file, in_redis = (replace(a, taken_at=0.0) if isinstance(a, Lease) else a for a in answers)
        assert in_redis == in_file
        if isinstance(answers[0], Lease):
            self.known.append(answers)
        return answers

    def one_of(self, number: int) -> tuple[Lease, ...] | None:
        """A lease that was given some time."""
        return self.known[-1 - number % len(self.known)] if self.known else None

    @rule(call=CALLS, conversation=CONVERSATIONS, dispatch=st.sampled_from(("d", "e")), holder=HOLDERS, ttl=TTLS)
    def take(self, call: str, conversation: str, dispatch: str, holder: str, ttl: float) -> None:
        """Somebody comes to the room."""
        tenancy = Tenancy("room", call, conversation, "agent", dispatch)
        self.ask(lambda leases, _: leases.take(tenancy, holder, ttl, f"job of {call}"))

    @rule(number=st.integers(0, 3))
    def read_job(self, number: int) -> None:
        """What the call in the room was dispatched with."""
        if (known := self.one_of(number)) is not None:
            self.ask(lambda leases, which: leases.job_of(known[which]))

    @rule(number=st.integers(0, 3), ttl=TTLS)
    def renew(self, number: int, ttl: float) -> None:
        """Perhaps somebody who lost it."""
        if (known := self.one_of(number)) is not None:
            self.ask(lambda leases, which: leases.renew(known[which], ttl, f"said {ttl}"))

    @rule(number=st.integers(0, 3), abandon=st.booleans())
    def leave(self, number: int, abandon: bool) -> None:
        """Perhaps somebody who lost it."""
        if (known := self.one_of(number)) is not None:
            self.ask(lambda leases, which: (leases.abandon if abandon else leases.release)(known[which]))

    @rule(number=st.integers(0, 3), ttl=TTLS)
    def reserve(self, number: int, ttl: float) -> None:
        """A takeover begins."""
        if (known := self.one_of(number)) is not None:
            holder = f"takeover:{len(self.known)}"
            self.ask(lambda leases, which: leases.reserve(known[which], holder, ttl))

    @rule(number=st.integers(0, 3), dispatch=st.sampled_from(("d", "e")), ttl=TTLS)
    def dispatched(self, number: int, dispatch: str, ttl: float) -> None:
        """A takeover waits for its agent."""
        known = self.one_of(number)
        if known is not None and known[0].holder.startswith("takeover:"):
            self.ask(lambda leases, which: leases.await_dispatch(known[which], dispatch, ttl))

    @rule(number=st.integers(0, 3))
    def write(self, number: int) -> None:
        """The fence of a lease holds, or not, in both."""
        if (known := self.one_of(number)) is not None:
            self.same(lambda journal: journal.append(make_turn("said"), fence=known[0].fence))

    @rule()
    def look(self) -> None:
        """What has lapsed."""
        self.ask(lambda leases, _: [replace(lease, taken_at=0.0) for lease in leases.lapsed()])


@pytest.mark.parametrize("machine", [Turns, Owed, Rooms])
def test_both_stores_answer_the_same(machine: type[Machine], redis_server: RedisServer) -> None:
    """Turns and who brings them, what is owed, leases: each in hundreds of steps chosen by chance."""
    Machine.server = redis_server
    run_state_machine_as_test(machine, settings=EXAMPLES)
