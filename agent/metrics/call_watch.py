"""Counts and times one call from the outside, wherever it may fail."""

import time
from collections.abc import Callable

from agent.metrics.catalogue import CALL_SECONDS, CALL_START_SECONDS, CALLS_ENDED, CALLS_STARTED

# What the library says at the end of a job, where the call itself gave no reason.
REASONS = {"parent process shutdown": "worker stopped", "job crashed": "crashed", "job_shutdown": "worker stopped"}


class CallWatch:
    """One call; it begins now.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        CALLS_STARTED.inc()

    def ready(self) -> None:
        """The agent is about to speak."""
        CALL_START_SECONDS.observe(self._clock() - self._began)

    async def ended(self, reason: str) -> None:
        """The call is over; a shutdown callback of the job."""
        CALL_SECONDS.observe(self._clock() - self._began)
        CALLS_ENDED.inc(reason=REASONS.get(reason, reason))
