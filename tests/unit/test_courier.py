"""The courier's rules against a model of a server: once, in order, whatever the connection does."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.chat.courier import Courier, Delivered
from agent.chat.frames import ThreadMessage
from agent.turns import Turn
from tests.support.turns import make_turn


def shown(turn: Turn, seq: int) -> ThreadMessage:
    return ThreadMessage(text=turn.text, role=turn.speaker, id=turn.id, seq=seq)


def test_nothing_leaves_before_the_history_was_read() -> None:
    """History decides what is sent: before it, nothing is."""
    courier = Courier([make_turn()])
    assert courier.to_send() == []
    courier.connected([])
    assert len(courier.to_send()) == 1


def test_what_history_shows_is_not_sent_again() -> None:
    """A close that came after storing (1006) is recognised."""
    stored, lost = make_turn(), make_turn()
    courier = Courier([stored, lost])
    courier.connected([])
    courier.to_send()
    courier.disconnected()
    assert courier.connected([shown(stored, 5)]) == [Delivered(stored.id, 5)]
    assert courier.to_send() == [lost]


def test_a_refused_turn_does_not_hold_up_the_others() -> None:
    """The server's final no takes one turn out of the line."""
    bad, good = make_turn(), make_turn()
    courier = Courier([bad, good], window=1)
    courier.connected([])
    assert courier.to_send() == [bad]
    assert courier.refused(bad.id) == bad
    assert courier.to_send() == [good]


class CourierMachine(RuleBasedStateMachine):
    """A server that stores ids once, over connections that break before or after it stored."""

    def __init__(self) -> None:
        super().__init__()
        self.courier = Courier(window=3)
        self.said: list[str] = []
        self.thread: list[Turn] = []
        self.wire: list[Turn] = []
        self.echoes: list[ThreadMessage] = []
        self.delivered: list[str] = []

    @rule()
    def say(self) -> None:
        """A further turn becomes durable."""
        turn = make_turn()
        self.said.append(turn.id)
        self.courier.add(turn)

    @rule()
    def connect(self) -> None:
        """A connection opens; history is read before anything is sent."""
        self.lose(0)
        history = [shown(turn, number) for number, turn in enumerate(self.thread)]
        self.delivered += [done.turn_id for done in self.courier.connected(history)]

    @rule()
    def send(self) -> None:
        """The courier sends what it may."""
        self.wire += self.courier.to_send()

    @rule(count=st.integers(1, 4))
    def store(self, count: int) -> None:
        """The server reads frames, stores each id once and echoes."""
        for turn in self.wire[:count]:
            if turn.id not in [known.id for known in self.thread]:
                self.thread.append(turn)
            self.echoes.append(shown(turn, len(self.thread)))
        del self.wire[:count]

    @rule(count=st.integers(1, 4))
    def hear(self, count: int) -> None:
        """Echoes reach the courier."""
        for echo in self.echoes[:count]:
            if (done := self.courier.seen(echo)) is not None:
                self.delivered.append(done.turn_id)
        del self.echoes[:count]

    @rule(stored=st.integers(0, 3))
    def lose(self, stored: int) -> None:
        """The connection breaks; some of what was on its way was stored, its echo is lost."""
        self.store(stored)
        self.wire.clear()
        self.echoes.clear()
        self.courier.disconnected()

    @invariant()
    def in_order_and_once(self) -> None:
        """The thread is always a beginning of what was said, and nothing counts as delivered twice."""
        assert [turn.id for turn in self.thread] == self.said[: len(self.thread)]
        assert len(set(self.delivered)) == len(self.delivered)
        assert set(self.delivered) <= {turn.id for turn in self.thread}

    def teardown(self) -> None:
        """Once the connection stays, everything arrives."""
        self.connect()
        for _ in range(len(self.said) + 1):
            self.send()
            self.store(len(self.wire))
            self.hear(len(self.echoes))
        assert [turn.id for turn in self.thread] == self.said
        assert sorted(self.delivered) == sorted(self.said)
        assert self.courier.pending == 0


TestCourierAgainstAServer = CourierMachine.TestCase
