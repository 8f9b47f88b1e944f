"""The attempts of one connection, counted: pure, so that an hour of failures is tested in a millisecond."""

import logging
import math
from dataclasses import dataclass

from agent.websocket.callbacks import call
from agent.websocket.closes import Close
from agent.websocket.errors import AddressError
from agent.websocket.options import Options
from agent.websocket.reconnect import DEFAULT_BACKOFF, StopReason, reconnect_unless_final

logger = logging.getLogger("agent.websocket.attempts")


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after this many seconds; `attempt` counts from 1."""

    attempt: int
    delay: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not try again."""

    reason: StopReason
    attempts: int


class Attempts:
    """Counts the attempts of one connection and decides about the next.

    Args:
        options: the rules.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._made = 0

    def after(self, close: Close) -> Retry | Stop:
        """What follows an end. The count begins anew only after a link that was stable: a server that accepts and
        drops is not retried for ever.
        """
        if close.opened and close.seconds >= self._options.stable_after:
            self._made = 0
        if (reason := self._refusal(close)) is not None:
            return Stop(reason, self._made)
        if self._made >= self._options.reconnect_attempts:
            return Stop(StopReason.EXHAUSTED, self._made)
        delay = max(self._interval(), self._asked_for(close))
        self._made += 1
        return Retry(self._made, delay)

    def _refusal(self, close: Close) -> StopReason | None:
        """Why this end is not followed by another attempt; None if it is."""
        if close.by_us:  # a reconnect that was asked for; an end that we wanted does not come here
            return None
        wanted = call("should_reconnect", self._options.should_reconnect, close)
        if wanted.value if wanted.worked else reconnect_unless_final(close):
            return None
        if close.error is not None and self._options.retry_on_error and not close.final:
            return None
        if isinstance(close.error, AddressError):
            return StopReason.NO_ADDRESS
        return StopReason.REFUSED if close.refused else StopReason.NOT_WANTED

    def _interval(self) -> float:
        interval = self._options.reconnect_interval
        if not callable(interval):
            return interval
        made = call("reconnect_interval", interval, self._made)
        if made.worked and isinstance(made.value, int | float) and math.isfinite(made.value) and made.value >= 0:
            return float(made.value)
        if made.worked:
            logger.error("websocket: reconnect_interval gave no number of seconds; the default is used")
        return DEFAULT_BACKOFF(self._made)

    def _asked_for(self, close: Close) -> float:
        """The least pause that a busy server asks for, within our own bounds."""
        if close.retry_after is not None:
            return min(close.retry_after, self._options.longest_retry_after)
        return self._options.busy_interval * (1.0 + self._options.chance()) if close.busy else 0.0
