"""How often something may happen: a token bucket that a flood keeps empty."""

from collections.abc import Callable


class Pace:
    """Allows a burst, and after it one more with each interval.

    What is refused counts too, up to another burst: as long as a flood lasts, nothing of it passes.

    Args:
        burst: how many at once.
        interval: seconds after which one more is allowed.
        clock: seconds, never going back.
    """

    def __init__(self, burst: int, interval: float, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._interval = interval
        self._clock = clock
        self._used = 0.0
        self._at = clock()

    def allows(self) -> bool:
        """Whether one more may happen now; it counts if so."""
        now = self._clock()
        self._used = max(0.0, self._used - (now - self._at) / self._interval)
        self._at = now
        allowed = self._used + 1 <= self._burst
        self._used = min(self._used + 1, 2.0 * self._burst)
        return allowed
