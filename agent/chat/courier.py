"""The courier's rules, without any I/O: which turns the thread still lacks, in which order, and what proves delivery.

A turn is delivered when the thread shows its id: as the echo of what we sent, or in the history that is read after
each (re)connect before anything is sent again. Turns go out in the order of the conversation, several at a time over
one ordered connection; the server stores an id once, so that a frame sent twice never shows twice.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from agent.chat.frames import ThreadMessage
from agent.turns import Turn

WINDOW = 32


@dataclass(frozen=True, slots=True)
class Delivered:
    """The thread has this turn, at this place if it says one."""

    turn_id: str
    seq: int | None


class Courier:
    """The outbox of one conversation.

    Args:
        pending: the turns that the journal holds as undelivered, in the order of the conversation.
        window: how many turns may be on their way unacknowledged.
    """

    def __init__(self, pending: Iterable[Turn] = (), *, window: int = WINDOW) -> None:
        self._waiting: OrderedDict[str, Turn] = OrderedDict((turn.id, turn) for turn in pending)
        self._in_flight: set[str] = set()
        self._window = window
        self._connected = False

    @property
    def pending(self) -> int:
        """How many turns the thread has not acknowledged."""
        return len(self._waiting)

    def add(self, turn: Turn) -> None:
        """A further turn of the conversation, already durable."""
        self._waiting.setdefault(turn.id, turn)

    def connected(self, history: Iterable[ThreadMessage]) -> list[Delivered]:
        """A connection is open and the history after it was read: what it shows is delivered, the rest is sent anew."""
        self._connected = True
        self._in_flight.clear()
        return [done for message in history if (done := self.seen(message)) is not None]

    def disconnected(self) -> None:
        """The connection is gone; what was on its way may or may not have been stored."""
        self._connected = False
        self._in_flight.clear()

    def seen(self, message: ThreadMessage) -> Delivered | None:
        """The thread shows a message: the proof of delivery if it is one of ours, else None."""
        if message.id is None or message.id not in self._waiting:
            return None
        del self._waiting[message.id]
        self._in_flight.discard(message.id)
        return Delivered(message.id, message.seq)

    def refused(self, turn_id: str) -> Turn | None:
        """The server will never take this turn; returns it, for the report, if it was ours."""
        self._in_flight.discard(turn_id)
        return self._waiting.pop(turn_id, None)

    def to_send(self) -> list[Turn]:
        """The turns to send now, in order; each counts as on its way from then on."""
        if not self._connected:
            return []
        ready: list[Turn] = []
        for turn in self._waiting.values():
            if len(self._in_flight) >= self._window:
                break
            if turn.id not in self._in_flight:
                self._in_flight.add(turn.id)
                ready.append(turn)
        return ready
