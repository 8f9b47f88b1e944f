"""A WebSocket client that comes back: the semantics of react-use-websocket 4 as an asyncio class.

`WebSocketClient` is the whole of it; docs/websocket-client.md maps each option of that library to ours. Inside, what
decides is apart from what does I/O: `reconnect`, `closes`, `heartbeat`, `outbox` and `address` are pure; `transport`,
`watch` and `connection` talk to the network; `client` and `pool` are the face.
"""

from agent.websocket.address import Address, Url
from agent.websocket.client import WebSocketClient
from agent.websocket.closes import Close
from agent.websocket.errors import AddressError, ConnectError, HandshakeRefused, LinkLost, WebSocketError
from agent.websocket.events import UNPARSABLE, Closed, Event, Message, Opened, ReadyState, Stopped
from agent.websocket.heartbeat import Heartbeat
from agent.websocket.options import Options
from agent.websocket.outbox import Outgoing, SendResult
from agent.websocket.pool import SharedPool
from agent.websocket.reconnect import Backoff, StopReason, reconnect_unless_final
from agent.websocket.streams import Stream

__all__ = [
    "UNPARSABLE",
    "Address",
    "AddressError",
    "Backoff",
    "Close",
    "Closed",
    "ConnectError",
    "Event",
    "HandshakeRefused",
    "Heartbeat",
    "LinkLost",
    "Message",
    "Opened",
    "Options",
    "Outgoing",
    "ReadyState",
    "SendResult",
    "SharedPool",
    "StopReason",
    "Stopped",
    "Stream",
    "Url",
    "WebSocketClient",
    "WebSocketError",
    "reconnect_unless_final",
]
