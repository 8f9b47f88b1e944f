"""When a notice is tried again, and when it is given up: pure rules."""

from collections.abc import Callable
from dataclasses import dataclass

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver answered that it does not want it, or sent us somewhere else."""

    problem: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The receiver is not there, or cannot take it now.

    Attributes:
        problem: what was seen.
        retry_after_s: how many seconds it asked us to wait, if it did.
    """

    problem: str
    retry_after_s: float | None = None


Outcome = Delivered | Refused | Unavailable


@dataclass(frozen=True, slots=True)
class Retries:
    """How patient the sender is.

    Attributes:
        first_s: seconds before the second attempt; each further pause is twice as long.
        longest_s: the longest pause.
        refusals: so many refusals are the end of a notice.
        oldest_s: a notice that has waited longer is given up.
    """

    first_s: float = 1.0
    longest_s: float = 60.0
    refusals: int = 3
    oldest_s: float = 3 * DAY_S

    def pause(self, attempts: int, spread: Callable[[], float]) -> float:
        """Seconds until the next attempt after so many; at least half of the full pause, so that senders spread.

        Args:
            attempts: how many attempts failed; at least 1.
            spread: a random number from 0 to 1.
        """
        full = min(self.longest_s, self.first_s * 2.0 ** min(attempts - 1, 30))
        return full * (0.5 + spread() / 2)


@dataclass(frozen=True, slots=True)
class Again:
    """The notice is tried again after so many seconds."""

    pause_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The notice is not tried again."""

    problem: str


def next_step(
    outcome: Refused | Unavailable,
    *,
    attempts: int,
    refusals: int,
    waited_s: float,
    retries: Retries,
    spread: Callable[[], float],
) -> Again | GiveUp:
    """What becomes of a notice that was not taken.

    Args:
        outcome: of the attempt just made.
        attempts: how many there were, this one included.
        refusals: how many of them were refused, this one included.
        waited_s: how long ago it was queued.
        retries: how patient we are.
        spread: a random number from 0 to 1.
    """
    if isinstance(outcome, Refused) and refusals >= retries.refusals:
        return GiveUp(f"{outcome.problem}, {refusals} times")
    if waited_s >= retries.oldest_s:
        return GiveUp(f"{outcome.problem}; not taken within {retries.oldest_s / DAY_S:g} days")
    pause = retries.pause(attempts, spread)
    if isinstance(outcome, Unavailable) and outcome.retry_after_s is not None:
        pause = min(max(pause, outcome.retry_after_s), retries.longest_s)
    return Again(pause)
