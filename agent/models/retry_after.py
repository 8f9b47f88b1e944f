"""How long a provider asks to be left alone: seen where its response comes in, needed where its failure is noted.

The libraries in between make new errors out of old ones and lose the header, so it takes a way of its own.
"""

import email.utils
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# Whoever asks for more has lost count; an hour is longer than nearly every call.
LONGEST_S = 3600.0


@dataclass(slots=True)
class Wish:
    """What the provider of one request asked for; `seconds` is None while it asked for nothing."""

    seconds: float | None = None


_wish: ContextVar[Wish | None] = ContextVar("wish", default=None)


@contextmanager
def listening() -> Iterator[Wish]:
    """Hear what is noted in here, and in all tasks that are started in here."""
    wish = Wish()
    token = _wish.set(wish)
    try:
        yield wish
    finally:
        _wish.reset(token)


def note(header: str | None, now: float) -> None:
    """A refusal came with this `Retry-After` header; `now` is in seconds since the epoch."""
    if (wish := _wish.get()) is not None:
        wish.seconds = parse(header, now)


def parse(header: str | None, now: float) -> float | None:
    """Seconds to wait: the header holds them, or a date (RFC 9110, 10.2.3); None when it holds neither.

    Args:
        header: the value of `Retry-After`.
        now: seconds since the epoch.
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_S) if math.isfinite(seconds) else None
