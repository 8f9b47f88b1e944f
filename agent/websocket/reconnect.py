"""When a connection may be opened again, and after which pause. Pure."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agent.websocket.closes import NORMAL, Close

Interval = float | Callable[[int], float]


class StopReason(StrEnum):
    """Why a connection is not opened again."""

    CLOSED = "we closed it"
    NOT_WANTED = "should_reconnect said no"
    REFUSED = "the server refused for good"
    NO_ADDRESS = "there is no valid address"
    EXHAUSTED = "the attempts are used up"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling pauses with jitter: 1, 2, 4 … at most 30 seconds (the guide's best practice 2).

    Args:
        first: the first pause in seconds.
        longest: the longest pause in seconds.
        jitter: the share of a pause that chance may take away, 0 to 1, so that many clients do not come back at once.
        chance: a number from 0 to 1, asked for each pause.
    """

    first: float = 1.0
    longest: float = 30.0
    jitter: float = 0.2
    chance: Callable[[], float] = random.random

    def __call__(self, attempt: int) -> float:
        """The pause in seconds when this many attempts were made before (0 at first)."""
        full = min(self.first * 2.0 ** min(attempt, 64), self.longest)
        return full * (1.0 - self.jitter * self.chance())


DEFAULT_BACKOFF = Backoff()


def reconnect_unless_final(close: Close) -> bool:
    """The default: not after a normal close (1000), nor when trying again cannot help."""
    return close.code != NORMAL and not close.final
