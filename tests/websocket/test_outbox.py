"""The queue of what is to be sent: in order, bounded, and every message ends in exactly one way."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.websocket import Outgoing, SendResult
from agent.websocket.outbox import Outbox


def message(text: str = "x", *, keep: bool = True, expires_at: float = 100.0) -> Outgoing:
    return Outgoing(text, keep=keep, expires_at=expires_at)


def filled(*messages: Outgoing, max_messages: int = 10, max_bytes: int = 1000) -> Outbox:
    outbox = Outbox(max_messages, max_bytes)
    for each in messages:
        outbox.add(each)
    return outbox


def test_a_full_queue_drops_the_new_and_keeps_the_old() -> None:
    """Bounded in number and in bytes; what waits keeps its place."""
    one, two, three = message("a"), message("b"), message("c")
    filled(one, two, three, max_messages=2)
    assert (one.result, two.result, three.result) == (None, None, SendResult.DROPPED)
    large, small = message("é" * 6), message("é" * 4)
    filled(large, small, max_bytes=19)
    assert (large.result, small.result) == (None, SendResult.DROPPED)


def test_room_is_given_back() -> None:
    """What was sent no longer counts."""
    first = message("12345")
    outbox = filled(first, max_bytes=5)
    assert outbox.next(0) is first
    outbox.settle(first, SendResult.SENT)
    second = message("67890")
    outbox.add(second)
    assert (first.result, second.result, len(outbox)) == (SendResult.SENT, None, 1)


def test_what_has_waited_too_long_expires_but_not_while_it_is_being_sent() -> None:
    """A time to live: worth nothing later, unless it is on its way already."""
    early, late = message(expires_at=5), message(expires_at=6)
    outbox = filled(early, late)
    assert outbox.next(4) is early
    outbox.expire(7)
    assert (early.result, late.result) == (None, SendResult.EXPIRED)
    outbox.settle(early, SendResult.SENT)
    assert early.result is SendResult.SENT
    assert outbox.next_expiry() is None


def test_what_was_not_written_waits_again_only_if_it_may() -> None:
    """A link that was closed before the first byte: nothing was lost, nothing is sent twice."""
    kept, bound = message(), message(keep=False)
    outbox = filled(kept)
    assert outbox.next(0) is kept
    outbox.settle(kept, None)
    assert outbox.next(0) is kept
    outbox = filled(bound)
    assert outbox.next(0) is bound
    outbox.settle(bound, None)
    assert bound.result is SendResult.DROPPED


def test_what_on_open_sends_goes_first_and_in_order() -> None:
    """A log-in must come before what waited for it."""
    waited = message("waited")
    outbox = filled(waited)
    outbox.begin_opening()
    outbox.add(message("log in"))
    outbox.add(message("subscribe"))
    outbox.end_opening()
    outbox.add(message("later"))
    assert [each.data for each in outbox] == ["log in", "subscribe", "waited", "later"]


async def test_a_message_can_be_awaited_before_and_after_its_end() -> None:
    """The result is the same whenever one asks."""
    outgoing = message()
    outgoing.resolve(SendResult.SENT)
    outgoing.resolve(SendResult.DROPPED)
    assert await outgoing is SendResult.SENT
    assert await outgoing is SendResult.SENT


def test_a_lone_surrogate_is_no_text() -> None:
    """It could not be written, and would end the link."""
    with pytest.raises(UnicodeEncodeError):
        message("\ud800")


class OutboxMachine(RuleBasedStateMachine):
    """An outbox under links that open, break and take their time."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox(5, 50)
        self.now = 0.0
        self.sending: Outgoing | None = None
        self.all: list[Outgoing] = []
        self.sent: list[Outgoing] = []

    @rule(size=st.integers(0, 20), keep=st.booleans(), ttl=st.floats(0, 10))
    def add(self, size: int, keep: bool, ttl: float) -> None:
        outgoing = Outgoing("x" * size, keep=keep, expires_at=self.now + ttl)
        self.all.append(outgoing)
        self.outbox.add(outgoing)

    @rule(seconds=st.floats(0, 5))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.outbox.expire(self.now)

    @rule()
    def take(self) -> None:
        if self.sending is None:
            self.sending = self.outbox.next(self.now)

    @rule(result=st.sampled_from([SendResult.SENT, SendResult.DROPPED, None]))
    def settle(self, result: SendResult | None) -> None:
        if self.sending is not None:
            self.outbox.settle(self.sending, result)
            if result is SendResult.SENT:
                self.sent.append(self.sending)
            self.sending = None

    @rule()
    def link_ends(self) -> None:
        self.settle(None)
        self.outbox.link_ended()

    @invariant()
    def bounded_ordered_and_each_in_one_state(self) -> None:
        waiting = list(self.outbox)
        assert len(waiting) <= 5
        assert sum(each.size for each in waiting) <= 50
        assert [each for each in self.all if each.result is None] == waiting
        assert self.sent == [each for each in self.all if each.result is SendResult.SENT]

    def teardown(self) -> None:
        self.outbox.drop_all()
        assert all(each.result is not None for each in self.all)
        assert len(self.outbox) == 0


TestOutbox = OutboxMachine.TestCase
