"""The options of a connection: one frozen value, the same for everybody who shares it.

The names are those of react-use-websocket 4; docs/websocket-client.md maps each of them. Durations are **seconds**,
where that library counts in milliseconds.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.websocket.address import Scalar
from agent.websocket.closes import Close
from agent.websocket.heartbeat import DEFAULT_HEARTBEAT, Heartbeat
from agent.websocket.reconnect import DEFAULT_BACKOFF, Interval, reconnect_unless_final

POSITIVE = ("open_timeout", "send_timeout", "close_timeout", "ping_timeout", "max_size")
NOT_NEGATIVE = ("reconnect_attempts", "stable_after", "busy_interval", "longest_retry_after")


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to connect, when to connect again, and what is allowed from outside.

    Args:
        query_params: added to the query of the url, percent-encoded.
        headers: sent with the handshake.
        protocols: the subprotocols to offer, one or several.
        should_reconnect: whether another attempt follows an end; asked about attempts that never opened, too.
        reconnect_attempts: how many attempts follow one another; `math.inf` for no end.
        reconnect_interval: seconds between them, or a function of the number of attempts made so far (0 at first).
        stable_after: seconds that a link must have lived for the attempts to be counted anew.
        retry_on_error: try again after every error, whatever `should_reconnect` says, unless the server refused for
            good or there is no valid address.
        busy_interval: the least pause in seconds after 429, 503, 1012 and 1013, to which chance adds up to as much
            again. The registry of close codes recommends 5 to 30 seconds for 1012.
        longest_retry_after: the most seconds that a server's `Retry-After` can make us wait.
        heartbeat: a heartbeat of the application's own; True for "ping", answered by "pong".
        ping_interval: seconds between pings of the protocol; None for none.
        ping_timeout: seconds that the answer may take; any message counts as one.
        open_timeout: seconds for the url function, and again for TCP, TLS and the handshake.
        send_timeout: seconds that writing one message may take before the link counts as dead.
        close_timeout: seconds for the closing handshake, after which the link is cut.
        max_size: the largest message from the server, in bytes, after decompression; a larger one ends the link with
            1009. The handshake's response is limited by `websockets`: 128 headers of 8 KiB, a body of 1 MiB.
        chance: a number from 0 to 1, for pauses after a busy server.

    Raises:
        ValueError: a number makes no sense; the message names it.
    """

    # Where
    query_params: Mapping[str, Scalar] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    protocols: str | Sequence[str] = ()
    # Connecting again
    should_reconnect: Callable[[Close], bool] = reconnect_unless_final
    reconnect_attempts: float = 10
    reconnect_interval: Interval = DEFAULT_BACKOFF
    stable_after: float = 10.0
    retry_on_error: bool = False
    busy_interval: float = 5.0
    longest_retry_after: float = 120.0
    # Signs of life
    heartbeat: bool | Heartbeat = False
    ping_interval: float | None = 20.0
    ping_timeout: float = 20.0
    # Time-outs and limits
    open_timeout: float = 10.0
    send_timeout: float = 20.0
    close_timeout: float = 2.0
    max_size: int = 1024 * 1024
    # For tests
    chance: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        for name in POSITIVE:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive")
        for name in NOT_NEGATIVE:
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative")
        if self.ping_interval is not None and not self.ping_interval > 0:
            raise ValueError("ping_interval must be positive, or None")
        interval = self.reconnect_interval
        if not callable(interval) and not (math.isfinite(interval) and interval >= 0):
            raise ValueError("reconnect_interval must be a number of seconds, or a function that makes one")

    @property
    def offered_protocols(self) -> Sequence[str]:
        """The subprotocols as a sequence."""
        return (self.protocols,) if isinstance(self.protocols, str) else tuple(self.protocols)

    @property
    def heartbeat_options(self) -> Heartbeat | None:
        """The heartbeat, if there is one."""
        if isinstance(self.heartbeat, Heartbeat):
            return self.heartbeat
        return DEFAULT_HEARTBEAT if self.heartbeat else None
