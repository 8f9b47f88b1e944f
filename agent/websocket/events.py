"""What a client is told: its state, and what happens to its connection, as values."""

import json
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, NoReturn

from agent.websocket.closes import Close
from agent.websocket.reconnect import StopReason


class ReadyState(IntEnum):
    """The state of a connection, with the numbers of the browser's WebSocket; -1 is react-use-websocket's own."""

    UNINSTANTIATED = -1
    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


# What stands for a message that is not JSON: empty, and recognised with `is`.
UNPARSABLE = MappingProxyType[str, Any]({})


@dataclass(frozen=True)
class Message:
    """A message of the server.

    Args:
        data: text, or bytes if it was sent as binary; not in the representation.
        received_at: when, in seconds of the client's monotonic clock.
    """

    data: str | bytes = field(repr=False)
    received_at: float = field(default=0.0, compare=False)

    @cached_property
    def json(self) -> Any:
        """The parsed data, `UNPARSABLE` if it is not JSON (RFC 8259: no NaN, no Infinity); parsed when first asked."""
        try:
            return json.loads(self.data, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return UNPARSABLE


@dataclass(frozen=True, slots=True)
class Opened:
    """A link is open. `connection` is its number, which no other link of this process has; see `send_message`."""

    connection: int
    subprotocol: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A link ended, or an attempt to open one failed; `retry_in` is the pause in seconds before the next, if any."""

    close: Close
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """No further link is opened until `connect` is called. `close` is the last end, if there was one."""

    reason: StopReason
    attempts: int
    close: Close | None


Event = Opened | Message | Closed | Stopped


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
