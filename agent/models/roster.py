"""Which of several models is asked when: the first that is fit, and one that failed again after a rest. No I/O."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class _Standing:
    failures: int = 0
    failed_at: float = -math.inf
    rests_until: float = -math.inf
    barred_until: float = -math.inf  # it asked for that itself


class Roster:
    """The standing of the models of one stage.

    Each failure doubles the rest before a model is preferred again; each success takes one failure back, so that one
    that works every other time is not trusted at once. Times are seconds of one clock, whichever.

    Args:
        size: how many models there are, the preferred one first.
        rest: after a first failure.
        longest_rest: at most.
    """

    def __init__(self, size: int, rest: float, longest_rest: float) -> None:
        self._standings = [_Standing() for _ in range(size)]
        self._rest = rest
        self._longest_rest = longest_rest

    def order(self, now: float) -> Sequence[int]:
        """Whom to ask, one after the other: those that are fit, then those that rest; not those that must be let be."""
        fit: list[int] = []
        resting: list[int] = []
        for index, standing in enumerate(self._standings):
            if now >= standing.barred_until:
                (fit if now >= standing.rests_until else resting).append(index)
        return fit + resting

    def next_free(self) -> float:
        """When the first of them may be asked."""
        return min(standing.barred_until for standing in self._standings)

    def failed(self, index: int, *, asked_at: float, now: float, retry_after: float | None = None) -> None:
        """A model failed. Requests that were under way together and fail together count once.

        Args:
            index: which.
            asked_at: when it was asked.
            now: when it failed.
            retry_after: seconds for which its provider asks to be left alone.
        """
        standing = self._standings[index]
        if retry_after is not None:
            standing.barred_until = max(standing.barred_until, now + retry_after)
        if asked_at < standing.failed_at:
            return
        rest = min(self._rest * 2.0 ** min(standing.failures, 30), self._longest_rest)
        standing.failures += 1
        standing.failed_at = now
        standing.rests_until = now + max(rest, retry_after or 0.0)

    def worked(self, index: int) -> bool:
        """A model did its work; returns whether it had failed before."""
        standing = self._standings[index]
        was_resting = standing.rests_until > -math.inf
        standing.failures = max(0, standing.failures - 1)
        standing.rests_until = standing.barred_until = -math.inf
        return was_resting
