"""The courier's rules, without any I/O: which turns the thread still lacks, in which order, and what proves delivery.

A turn is delivered when the thread shows it: as the echo of what we sent, or in the history that is read after each
(re)connect before anything is sent again. Turns go out in the order of the conversation over one ordered connection.

How a server shows a turn is learned from what it does:
- It keeps our ids (CHAT_PROTOCOL). The id is the proof, several turns may be on their way at once, and a frame that is
  sent twice never shows twice.
- It ignores them, as a server written to the guide alone does. The words are the proof then; so that they can be told
  apart, one turn is on its way at a time, and after a reconnect the history is compared with what the thread had shown.
- It neither echoes nor has a history. Then nothing can be proven: a turn that was sent counts as delivered.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from agent.chat.frames import ThreadMessage
from agent.turns import Turn

WINDOW = 32
TRIES = 3
# How many messages of others may stand after ours in the history that is read first, at a server without ids.
SLACK = 8
# How far back in the history a message without an id or place may stand that came while it was read.
EARLY = 32
REMEMBERED = 5000


class Proof(Enum):
    """What shows that the thread has a turn."""

    UNKNOWN = "unknown"
    IDS = "ids"
    WORDS = "words"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The thread has this turn, at this place if it says one."""

    turn_id: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class Read:
    """What the thread shows.

    Attributes:
        messages: those that were not shown before, oldest first; ours have our id, whatever the server calls them.
        delivered: which of ours it has.
        given_up: turns of ours that this server does not take.
    """

    messages: list[ThreadMessage] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)
    given_up: list[Turn] = field(default_factory=list)

    def add(self, message: ThreadMessage, delivered: Delivered | None) -> None:
        """A further message, and whose turn it is if it is one of ours."""
        if delivered is not None:
            message = replace(message, id=delivered.turn_id)
            self.delivered.append(delivered)
        self.messages.append(message)


@dataclass(frozen=True, slots=True)
class Silence:
    """What follows from an echo that does not come.

    Attributes:
        reconnect: the connection may be deaf: connect anew.
        delivered: turns that count as delivered without proof.
        given_up: turns that this server does not take.
    """

    reconnect: bool = True
    delivered: list[Delivered] = field(default_factory=list)
    given_up: list[Turn] = field(default_factory=list)


class Courier:
    """The outbox of one conversation.

    Args:
        pending: the turns that the journal holds as undelivered, in the order of the conversation.
        window: how many turns may be on their way unacknowledged, at a server that keeps ids.
    """

    def __init__(self, pending: Iterable[Turn] = (), *, window: int = WINDOW) -> None:
        self.proof = Proof.UNKNOWN
        self._waiting: OrderedDict[str, Turn] = OrderedDict()
        self._in_flight: set[str] = set()
        # On some connection, and not acknowledged.
        self._sent: set[str] = set()
        self._window = window
        self._tries = 0
        self._connected = False
        # What was on its way when the server refused to read on, and how often in a row that was so.
        self._suspects: list[str] = []
        self._refusals = 0
        # What the thread has shown: its ids, its last place, and how often which words stood there without either.
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._last_seq = 0
        self._anonymous: Counter[str] = Counter()
        self._last_words: Counter[str] = Counter()
        self.needs_whole_history = True
        self.carry(pending)

    @property
    def pending(self) -> int:
        """How many turns the thread has not acknowledged."""
        return len(self._waiting)

    @property
    def awaits_echo(self) -> bool:
        """Whether something is on its way whose echo has not come."""
        return bool(self._in_flight)

    def add(self, turn: Turn) -> None:
        """A further turn of the conversation, already durable."""
        self._waiting.setdefault(turn.id, turn)

    def carry(self, left: Iterable[Turn]) -> None:
        """Turns that others have left undelivered: they come before ours, and may have been sent before."""
        first = OrderedDict((turn.id, turn) for turn in left)
        self._waiting = first | self._waiting
        self._sent.update(first)
        self.needs_whole_history = True

    def connected(self, history: Sequence[ThreadMessage]) -> Read:
        """A connection is open and the history was read: what it shows is delivered, the rest is sent anew.

        Args:
            history: what came after the last message that was seen, oldest first, or all that the thread holds
                (`needs_whole_history`).
        """
        self._connected = True
        self._in_flight.clear()
        whole, self.needs_whole_history = self.needs_whole_history, False
        # The ids first: one of them says that words prove nothing here.
        by_id = [self._seen_by_id(message) for message in history]
        new = self._not_shown_before(history)
        oldest = len(history) - len(self._sent) - SLACK if whole else 0
        read = Read()
        for index, (message, is_new, delivered) in enumerate(zip(history, new, by_id, strict=True)):
            # In the whole history a message with another id may be an earlier one of the same words.
            if delivered is None and (index >= oldest and message.id is None if whole else is_new):
                delivered = self._seen_by_words(message)
            if is_new:
                read.add(message, delivered)
            elif delivered is not None:
                read.delivered.append(delivered)
        self._note(history)
        self._last_words = Counter(_words(message) for message in history[-EARLY:] if _is_anonymous(message))
        read.given_up.extend(self._refused_for_good())
        return read

    def disconnected(self, *, refused: bool = False) -> None:
        """The connection is gone; what was on its way may or may not have been stored.

        Args:
            refused: the server ended it for something that it was sent and cannot read.
        """
        self._connected = False
        if refused and self._in_flight:
            self._suspects = self._on_their_way()
        self._in_flight.clear()

    def seen(self, message: ThreadMessage, *, early: bool = False) -> Read:
        """The thread shows a message: the proof of delivery if it is one of ours.

        Args:
            message: the message.
            early: it came before the history of its connection, which may hold it, too.
        """
        read = Read()
        words = _words(message)
        if _is_anonymous(message):
            if early and self._last_words[words]:
                self._last_words[words] -= 1
                return read
            self._anonymous[words] += 1
        is_new = message.id is None or message.id not in self._ids
        delivered = self._seen_by_id(message) or self._seen_by_words(message)
        if not _is_anonymous(message):
            self._note([message])
        if is_new:
            read.add(message, delivered)
        elif delivered is not None:
            read.delivered.append(delivered)
        return read

    def no_echo(self, *, has_history: bool) -> Silence:
        """The echo of what is on its way has not come for long, on a connection that seems to live.

        Args:
            has_history: whether the server has a history to look into.

        Returns:
            What follows: usually to connect anew, as the connection may be deaf, and history decides then. A server
            that has shown no id is not asked for ever: without a history, what was sent counts as delivered from now
            on; with one that still lacks the turn after `TRIES`, the turn is given up.
        """
        if self.proof is Proof.IDS:
            return Silence()
        if self.proof is Proof.UNKNOWN and not has_history:
            self.proof = Proof.NONE
            return Silence(reconnect=False, delivered=[self._deliver(id, None) for id in self._on_their_way()])
        self._tries += 1
        if self._tries < TRIES:
            return Silence()
        self._tries = 0
        return Silence(given_up=[turn for id in self._on_their_way() if (turn := self.refused(id)) is not None])

    def refused(self, turn_id: str) -> Turn | None:
        """The server will never take this turn; returns it, for the report, if it was ours."""
        self._in_flight.discard(turn_id)
        self._sent.discard(turn_id)
        return self._waiting.pop(turn_id, None)

    def to_send(self) -> list[Turn]:
        """The turns to send now, in order; each counts as on its way from then on."""
        if not self._connected:
            return []
        window = self._window if self.proof in (Proof.IDS, Proof.NONE) else 1
        ready: list[Turn] = []
        for turn in self._waiting.values():
            if len(self._in_flight) >= window:
                break
            if turn.id not in self._in_flight:
                self._in_flight.add(turn.id)
                self._sent.add(turn.id)
                ready.append(turn)
        return ready

    def sent(self, turn_id: str) -> Delivered | None:
        """A turn has left; at a server that proves nothing that is all there will be."""
        return self._deliver(turn_id, None) if self.proof is Proof.NONE else None

    def _seen_by_id(self, message: ThreadMessage) -> Delivered | None:
        if message.id is None or message.id not in self._waiting:
            return None
        self.proof = Proof.IDS
        return self._deliver(message.id, message.seq)

    def _seen_by_words(self, message: ThreadMessage) -> Delivered | None:
        """A message that can only be a turn which was sent and not acknowledged."""
        if self.proof is Proof.IDS or (message.id is not None and message.id in self._ids):
            return None
        sent = (turn for turn in self._waiting.values() if turn.id in self._sent and _may_be(message, turn))
        if (turn := next(sent, None)) is None:
            return None
        self.proof = Proof.WORDS
        return self._deliver(turn.id, message.seq)

    def _refused_for_good(self) -> list[Turn]:
        """The turn at which the server stopped reading, once that was so `TRIES` times in a row.

        A server reads in order: the first of those that were on their way and that it does not have is the one.
        """
        left = [turn_id for turn_id in self._suspects if turn_id in self._waiting]
        self._refusals = self._refusals + 1 if left else 0
        self._suspects = []
        if self._refusals < TRIES:
            return []
        self._refusals = 0
        return [turn for turn_id in left[:1] if (turn := self.refused(turn_id)) is not None]

    def _not_shown_before(self, history: Sequence[ThreadMessage]) -> list[bool]:
        """Which of a history are new: by id, else by place, else by how often the same words stand there."""
        before = self._anonymous.copy()
        new: list[bool] = []
        for message in history:
            if _is_anonymous(message):
                new.append(before[_words(message)] <= 0)
                before[_words(message)] -= 1
            elif message.id is not None:
                new.append(message.id not in self._ids)
            else:
                new.append(message.seq is None or message.seq > self._last_seq)
        return new

    def _note(self, messages: Sequence[ThreadMessage]) -> None:
        """Remember what the thread has shown, for a server that does not keep our ids."""
        self._anonymous |= Counter(_words(message) for message in messages if _is_anonymous(message))
        self._last_seq = max([self._last_seq, *(message.seq for message in messages if message.seq is not None)])
        for message in messages:
            if message.id is not None:
                self._ids[message.id] = None
        while len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)

    def _on_their_way(self) -> list[str]:
        return [turn_id for turn_id in self._waiting if turn_id in self._in_flight]

    def _deliver(self, turn_id: str, seq: int | None) -> Delivered:
        del self._waiting[turn_id]
        self._in_flight.discard(turn_id)
        self._sent.discard(turn_id)
        self._tries = 0
        return Delivered(turn_id, seq)


def _is_anonymous(message: ThreadMessage) -> bool:
    return message.id is None and message.seq is None


def _words(message: ThreadMessage) -> str:
    return message.text.strip()


def _may_be(message: ThreadMessage, turn: Turn) -> bool:
    """Whether a message without our id can be the echo of a turn: it says nothing that speaks against it."""
    return (
        _words(message) == turn.text.strip()
        and message.role in (None, turn.speaker)
        and message.channel in (None, turn.channel)
    )
