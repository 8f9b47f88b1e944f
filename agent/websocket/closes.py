"""How a link ended, or an attempt to open one, and what may follow from it. Pure."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from agent.websocket.errors import AddressError, HandshakeRefused, WebSocketError

NORMAL = 1000
GOING_AWAY = 1001
ABNORMAL = 1006

# 1008 is the registry's "policy violation"; 4401 and 4403 are what servers send for 401 and 403 once a link is open.
REFUSING_CODES = frozenset({1008, 4401, 4403})
REFUSING_STATUSES = frozenset({401, 403, 404})
# "Service restart" and "try again later" (IANA's registry of close codes); too many requests, unavailable (RFC 9110).
BUSY_CODES = frozenset({1012, 1013})
BUSY_STATUSES = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Close:
    """The end of a link, or of an attempt that never had one.

    `code` is the close code (RFC 6455, 7.4), 1006 without a closing handshake. `reason` is the server's text, left out
    of the representation, since nobody knows what it holds. `seconds` is how long the link was open.
    """

    code: int = ABNORMAL
    reason: str = field(default="", repr=False)
    opened: bool = False
    by_us: bool = False
    seconds: float = 0.0
    error: WebSocketError | None = None

    @property
    def was_clean(self) -> bool:
        """Whether there was a closing handshake."""
        return self.code != ABNORMAL

    @property
    def status(self) -> int | None:
        """The HTTP status of a refused handshake."""
        return self.error.status if isinstance(self.error, HandshakeRefused) else None

    @property
    def retry_after(self) -> float | None:
        """The seconds that the server asked to wait for."""
        return self.error.retry_after if isinstance(self.error, HandshakeRefused) else None

    @property
    def refused(self) -> bool:
        """Whether the server said no for good: to these credentials, or to this address."""
        return self.code in REFUSING_CODES or self.status in REFUSING_STATUSES

    @property
    def final(self) -> bool:
        """Whether trying again cannot help: refused, or there is no valid address."""
        return self.refused or (isinstance(self.error, AddressError) and self.error.final)

    @property
    def busy(self) -> bool:
        """Whether the server is there and asks to be left alone for a while."""
        return self.code in BUSY_CODES or self.status in BUSY_STATUSES

    def __str__(self) -> str:
        """For a log: what happened, without the server's words."""
        return str(self.error) if self.error is not None else f"closed with {self.code}"


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds to wait that a `Retry-After` header asks for (RFC 9110, 10.2.3); None for anything else.

    Args:
        value: the header, a number of seconds or a date.
        now: the time that a date is compared with, with its zone.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    seconds = (aware - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
