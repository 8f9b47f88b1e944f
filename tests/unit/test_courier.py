"""The courier's rules against models of servers: once, in order, whatever the connection does."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.chat.courier import TRIES, Courier, Delivered, Proof
from agent.chat.frames import ThreadMessage
from agent.turns import Channel, Speaker, Turn
from tests.support.turns import make_turn


def shown(turn: Turn, seq: int) -> ThreadMessage:
    """How a server that keeps ids shows a turn."""
    return ThreadMessage(text=turn.text, role=turn.speaker, id=turn.id, seq=seq, channel=turn.channel)


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
    assert courier.connected([shown(stored, 5)]).delivered == [Delivered(stored.id, 5)]
    assert courier.to_send() == [lost]


def test_a_refused_turn_does_not_hold_up_the_others() -> None:
    """The server's final no takes one turn out of the line."""
    bad, good = make_turn(), make_turn()
    courier = Courier([bad, good], window=1)
    courier.connected([])
    assert courier.to_send() == [bad]
    assert courier.refused(bad.id) == bad
    assert courier.to_send() == [good]


def test_many_are_on_their_way_once_the_server_has_shown_an_id() -> None:
    """Until then one at a time, as only that can be told apart by its words."""
    turns = [make_turn(str(n)) for n in range(10)]
    courier = Courier(turns, window=4)
    courier.connected([])
    assert courier.to_send() == turns[:1]
    assert courier.seen(shown(turns[0], 1)).delivered == [Delivered(turns[0].id, 1)]
    assert courier.to_send() == turns[1:5]


def test_an_echo_without_our_id_is_known_by_its_words() -> None:
    """It comes back with our id, so that nobody takes it for a new message."""
    turn = make_turn("Hello")
    courier = Courier([turn])
    courier.connected([])
    courier.to_send()
    read = courier.seen(ThreadMessage(text="Hello"))
    assert (read.messages[0].id, read.delivered) == (turn.id, [Delivered(turn.id, None)])


def test_the_same_words_typed_by_somebody_are_no_echo() -> None:
    """They come on another channel; and once the server has shown that it keeps ids, words prove nothing."""
    courier = Courier([make_turn("Yes"), make_turn("Yes")])
    courier.connected([])
    (first,) = courier.to_send()
    typed = ThreadMessage(text="Yes", role=Speaker.USER, id="other", channel=Channel.CHAT)
    assert courier.seen(typed).delivered == []
    courier.seen(shown(first, 1))
    assert courier.to_send()
    assert courier.seen(ThreadMessage(text="Yes")).delivered == []


def test_an_earlier_turn_of_the_same_words_in_the_first_history_is_no_proof() -> None:
    """Else the new one would be lost."""
    turn = make_turn("Yes")
    courier = Courier([turn])
    earlier = ThreadMessage(text="Yes", role=Speaker.USER, id="earlier", seq=1, channel=Channel.VOICE)
    assert courier.connected([earlier]).delivered == []
    assert courier.to_send() == [turn]


def test_what_a_dead_process_may_have_sent_is_found_at_a_server_without_ids() -> None:
    """The journal does not know whether it left; the end of the history does."""
    turn = make_turn("Hello there")
    courier = Courier([turn])
    history = [*(ThreadMessage(text=str(n)) for n in range(30)), ThreadMessage(text="Hello there")]
    assert courier.connected(history).delivered == [Delivered(turn.id, None)]


def test_a_server_that_shows_nothing_gets_each_turn_once() -> None:
    """Neither echo nor history: after the first wait, sent is as good as delivered, and nothing is held up."""
    turns = [make_turn(str(n)) for n in range(3)]
    courier = Courier(turns)
    courier.connected([])
    assert courier.to_send() == turns[:1]
    silence = courier.no_echo(has_history=False)
    assert not silence.reconnect
    assert silence.delivered == [Delivered(turns[0].id, None)]
    assert courier.to_send() == turns[1:]
    assert [courier.sent(turn.id) for turn in turns[1:]] == [Delivered(turn.id, None) for turn in turns[1:]]
    assert courier.pending == 0


def test_a_server_that_does_not_take_a_turn_is_not_asked_for_ever() -> None:
    """Its history still lacks the turn after a few attempts: the others go on."""
    bad, good = make_turn("bad"), make_turn("good")
    courier = Courier([bad, good])
    for attempt in range(TRIES):
        courier.connected([])
        assert courier.to_send() == [bad]
        assert courier.no_echo(has_history=True).given_up == ([bad] if attempt == TRIES - 1 else [])
        courier.disconnected()
    courier.connected([])
    assert courier.to_send() == [good]


def test_a_server_that_keeps_ids_is_asked_until_it_answers() -> None:
    """A deaf connection or a slow server loses nothing."""
    first, second = make_turn(), make_turn()
    courier = Courier([first, second])
    courier.connected([])
    courier.to_send()
    courier.seen(shown(first, 1))
    for _ in range(20):
        courier.to_send()
        assert courier.no_echo(has_history=True).given_up == []
        courier.connected([])
    assert courier.to_send() == [second]


def test_what_others_left_comes_before_what_was_said_meanwhile() -> None:
    """A call may learn of it late; what of it the thread has already is not sent."""
    left, own = [make_turn(f"left {n}") for n in range(3)], make_turn("own")
    courier = Courier()
    courier.add(own)
    courier.connected([shown(left[0], 1)])
    courier.carry(left)
    assert courier.needs_whole_history
    read = courier.connected([shown(left[0], 1)])
    assert (read.messages, read.delivered) == ([], [Delivered(left[0].id, 1)])
    assert courier.to_send() == [left[1], left[2], own]


def test_the_turn_at_which_the_server_stops_reading_is_given_up() -> None:
    """It closes with 1003 again and again: the first that it does not have is the one, and the others go on."""
    turns = [make_turn(str(n)) for n in range(4)]
    courier = Courier(turns)
    thread = [shown(turns[0], 1)]
    for attempt in range(TRIES + 1):
        read = courier.connected(thread)
        assert read.given_up == ([turns[1]] if attempt == TRIES else [])
        courier.to_send()
        courier.disconnected(refused=True)
    courier.connected(thread)
    assert courier.to_send() == turns[2:]


def test_other_ends_of_a_connection_accuse_no_turn() -> None:
    """Neither a lost link, nor a server that refused to read while nothing was on its way, nor one that goes on."""
    turns = [make_turn(str(n)) for n in range(2)]
    courier = Courier(turns)
    for attempt in range(4 * TRIES):
        assert courier.connected([]).given_up == []
        if attempt % 3:
            courier.to_send()
        courier.disconnected(refused=attempt % 3 != 2)
    courier.connected([])
    assert courier.to_send() == turns[:1]


def test_what_came_while_the_history_was_read_is_told_once() -> None:
    """It may stand in the history too, also at a server that numbers nothing."""
    courier = Courier()
    typed = [ThreadMessage("one"), ThreadMessage("two")]
    assert courier.connected([ThreadMessage("before"), typed[0]]).messages
    assert courier.seen(typed[0], early=True).messages == []
    assert courier.seen(typed[1], early=True).messages == [typed[1]]
    assert courier.seen(typed[0]).messages == [typed[0]]
    numbered = ThreadMessage("three", id="3", seq=3)
    courier.connected([numbered])
    assert courier.seen(numbered, early=True).messages == []


def test_a_message_that_the_server_shows_again_is_told_once() -> None:
    """The answer to a frame that was sent twice, for example."""
    courier = Courier()
    courier.connected([])
    typed = ThreadMessage("typed", id="x", seq=1)
    assert [courier.seen(typed).messages for _ in range(2)] == [[typed], []]


class CourierMachine(RuleBasedStateMachine):
    """Any server, over connections that break before or after it stored. Every turn has the same words."""

    keeps_ids = True

    def __init__(self) -> None:
        super().__init__()
        self.courier = Courier(window=3)
        self.said: list[str] = []
        self.thread: list[ThreadMessage] = []
        self.stored: list[str] = []
        self.wire: list[Turn] = []
        self.echoes: list[ThreadMessage] = []
        self.delivered: list[str] = []
        self.typed: list[str] = []
        self.noticed: list[str] = []

    def show(self, turn: Turn) -> ThreadMessage:
        """How this server shows a turn."""
        return shown(turn, len(self.thread) + 1)

    def notice(self, messages: list[ThreadMessage], delivered: list[Delivered]) -> None:
        """What the call is told."""
        self.delivered += [done.turn_id for done in delivered]
        self.noticed += [message.text for message in messages if message.text.startswith("typed")]

    @rule()
    def say(self) -> None:
        """A further turn becomes durable."""
        turn = make_turn()
        self.said.append(turn.id)
        self.courier.add(turn)

    @rule()
    def type(self) -> None:
        """Somebody else writes in the thread."""
        text = f"typed {len(self.typed)}"
        self.typed.append(text)
        typed = make_turn(text, channel=Channel.CHAT)
        self.thread.append(self.show(typed))
        self.echoes.append(self.thread[-1])

    @rule()
    def connect(self) -> None:
        """A connection opens; history is read before anything is sent."""
        self.lose(0)
        read = self.courier.connected(self.thread)
        self.notice(read.messages, read.delivered)

    @rule()
    def send(self) -> None:
        """The courier sends what it may."""
        self.wire += self.courier.to_send()

    @rule(count=st.integers(1, 4))
    def store(self, count: int) -> None:
        """The server reads frames, stores them (an id that it keeps, once) and echoes."""
        for turn in self.wire[:count]:
            if not self.keeps_ids or turn.id not in self.stored:
                self.thread.append(self.show(turn))
                self.stored.append(turn.id)
                self.echoes.append(self.thread[-1])
            else:
                self.echoes.append(next(m for m in self.thread if m.id == turn.id))
        del self.wire[:count]

    @rule(count=st.integers(1, 4))
    def hear(self, count: int) -> None:
        """Echoes reach the courier."""
        for echo in self.echoes[:count]:
            read = self.courier.seen(echo)
            self.notice(read.messages, read.delivered)
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
        assert self.stored == self.said[: len(self.stored)]
        assert len(set(self.delivered)) == len(self.delivered)
        assert set(self.delivered) <= set(self.stored)
        assert len(set(self.noticed)) == len(self.noticed)

    def teardown(self) -> None:
        """Once the connection stays, everything arrives, and the call was told of everything."""
        self.connect()
        for _ in range(len(self.said) + 1):
            self.send()
            self.store(len(self.wire))
            self.hear(len(self.echoes))
        assert self.stored == self.said
        assert sorted(self.delivered) == sorted(self.said)
        assert sorted(self.noticed) == sorted(self.typed)
        assert self.courier.pending == 0


class IdsIgnoredMachine(CourierMachine):
    """A server that gives each message an id of its own: a frame that is sent twice is stored twice."""

    keeps_ids = False

    def show(self, turn: Turn) -> ThreadMessage:
        """Our id is nowhere."""
        return ThreadMessage(turn.text, turn.speaker, f"server-{len(self.thread)}", len(self.thread) + 1, turn.channel)


class GuideOnlyMachine(CourierMachine):
    """A server written to the guide alone: words, and a history of words."""

    keeps_ids = False

    def show(self, turn: Turn) -> ThreadMessage:
        """Nothing but words."""
        return ThreadMessage(turn.text)


class KilledCallMachine(CourierMachine):
    """Calls whose process is killed, each followed by another that learns late what was left."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[Turn] | None = None
        self.turns: list[Turn] = []

    @rule()
    def say(self) -> None:
        """A further turn becomes durable."""
        turn = make_turn()
        self.said.append(turn.id)
        self.turns.append(turn)
        self.courier.add(turn)

    @rule(stored=st.integers(0, 3))
    def die(self, stored: int) -> None:
        """The process is killed; the next call finds what the journal has as undelivered."""
        self.lose(stored)
        self.courier = Courier(window=3)
        self.left = [turn for turn in self.turns if turn.id not in self.delivered]
        self.noticed.clear()

    @rule()
    def load(self) -> None:
        """The call may bring what was left: the whole history is read, once more if it was read before."""
        if self.left is not None:
            self.courier.carry(self.left)
            self.left = None
            self.connect()

    @rule()
    def send(self) -> None:
        """Nothing leaves before that."""
        if self.left is None:
            super().send()

    def teardown(self) -> None:
        """See `CourierMachine`."""
        self.load()
        super().teardown()


TestCourierAgainstAServer = CourierMachine.TestCase
TestCourierOfKilledCalls = KilledCallMachine.TestCase
TestCourierAgainstAServerWithItsOwnIds = IdsIgnoredMachine.TestCase
TestCourierAgainstAServerOfWords = GuideOnlyMachine.TestCase


def test_the_machines_cover_all_proofs() -> None:
    """Each kind of server is told from the others by what it does."""
    for kind, proof in ((CourierMachine, Proof.IDS), (IdsIgnoredMachine, Proof.WORDS), (GuideOnlyMachine, Proof.WORDS)):
        machine = kind()
        machine.say()
        machine.teardown()
        assert machine.courier.proof is proof
