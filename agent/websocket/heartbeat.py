"""Finding out that a link is dead, without any I/O: when to ask, when to give up."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

Payload = str | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A heartbeat of the application's own, beside the protocol's pings; any message counts as a sign of life.

    Args:
        message: what is sent, or a function that makes it each time.
        return_message: what the server answers; exactly this is kept from `last_message` and the streams.
        timeout: the link is dead after this many seconds without any message.
        interval: a heartbeat is sent after this many seconds without any message, and not more often.
    """

    message: Payload | Callable[[], Payload] = "ping"
    return_message: Payload | None = None
    timeout: float = 60.0
    interval: float = 25.0

    def __post_init__(self) -> None:
        if not (self.interval > 0 and self.timeout > 0):
            raise ValueError("heartbeat: interval and timeout are positive numbers of seconds")


# What `heartbeat=True` means: the answer is hidden too.
DEFAULT_HEARTBEAT = Heartbeat(message="ping", return_message="pong")


class Action(Enum):
    """What is due."""

    WAIT = auto()
    ASK = auto()
    GIVE_UP = auto()


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now, and after how many seconds to look again."""

    action: Action
    seconds: float = 0.0


class Liveness:
    """The silence of one link; all times in seconds of one monotonic clock.

    Args:
        interval: how often to ask.
        timeout: how long a silence may last.
        now: the present, from which on silence counts.
        only_when_silent: whether what was heard puts the next question off.
    """

    def __init__(self, interval: float, timeout: float, now: float, *, only_when_silent: bool) -> None:
        self._interval = interval
        self._timeout = timeout
        self._only_when_silent = only_when_silent
        self._heard = now
        self._asked = now
        self._waiting = False

    def heard(self, now: float, *, answer: bool = True) -> float | None:
        """There was a sign of life; returns the round trip if it is the answer to a question."""
        self._heard = max(self._heard, now)
        if not (answer and self._waiting):
            return None
        self._waiting = False
        return now - self._asked

    def asked(self, now: float) -> None:
        """A question was sent."""
        self._asked = now
        self._waiting = True

    def due(self, now: float) -> Due:
        """What to do now."""
        if now >= self._heard + self._timeout:
            return Due(Action.GIVE_UP)
        quiet_since = max(self._heard, self._asked) if self._only_when_silent else self._asked
        if now >= quiet_since + self._interval:
            return Due(Action.ASK)
        return Due(Action.WAIT, min(quiet_since + self._interval, self._heard + self._timeout) - now)

    def left(self, now: float) -> float:
        """The seconds until the silence has lasted too long."""
        return max(0.0, self._heard + self._timeout - now)
