"""One link to a server: a thin shell around a connection of `websockets`. Tests may put another one in its place.

What `websockets` 17 leaves to us: its keep-alive and its `close` wait without end when the write buffer is full, which
is how a half-open link looks to somebody who sends; an answer that is no handshake is read on until the time-out; and
its log tells the query of the handshake and all that is sent.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State
from websockets.typing import Subprotocol

from agent.websocket.address import Address
from agent.websocket.closes import ABNORMAL, parse_retry_after
from agent.websocket.errors import ConnectError, HandshakeRefused
from agent.websocket.options import Options


class LinkClosed(Exception):
    """The link is closed; `written` says whether anything of the message may have left before."""

    def __init__(self, *, written: bool) -> None:
        super().__init__("the link is closed")
        self.written = written


class Link(Protocol):
    """One open WebSocket."""

    @property
    def subprotocol(self) -> str | None:
        """What the server chose of the offered subprotocols."""

    @property
    def close_code(self) -> int:
        """Once it is closed: the server's close code, 1006 if it sent none."""

    @property
    def close_reason(self) -> str:
        """Once it is closed: the server's words."""

    @property
    def failure(self) -> str | None:
        """Once it is closed: why this side gave it up, if it did; names no content."""

    async def send(self, data: str | bytes) -> None:
        """Write a message; raises LinkClosed."""

    async def receive(self) -> str | bytes:
        """The next message; raises LinkClosed after the last one."""

    async def ping(self, answered: Callable[[], None]) -> None:
        """Write a ping, whose answer calls `answered`; raises LinkClosed."""

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye and wait for the answer, within a bound."""

    def abort(self) -> None:
        """Cut the link at once."""


class Transport(Protocol):
    """Opens links."""

    async def __call__(self, address: Address, options: Options) -> Link:
        """Open a link; raises ConnectError or HandshakeRefused."""


class _WireLog(logging.LoggerAdapter[logging.Logger]):
    """A log that is never at DEBUG, where `websockets` writes the handshake with its query, and all that is sent."""

    def isEnabledFor(self, level: int) -> bool:
        return level > logging.DEBUG and super().isEnabledFor(level)


class _Connection(ClientConnection):
    """Cuts the connection as soon as the answer is known to be none, instead of reading it to its end."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.protocol.handshake_exc is not None:
            self.transport.abort()


WIRE_LOG = _WireLog(logging.getLogger("agent.websocket.wire"), {})


async def open_link(address: Address, options: Options) -> Link:
    """Open a link with `websockets`.

    Raises:
        HandshakeRefused: the server answered with an HTTP status.
        ConnectError: it did not come to an answer, or the answer is no handshake.
    """
    try:
        connection = await connect(
            address.full_url,
            additional_headers=dict(address.headers),
            subprotocols=[Subprotocol(name) for name in address.protocols] or None,
            # Time-outs; the keep-alive is ours, see Watch
            open_timeout=options.open_timeout,
            ping_interval=None,
            close_timeout=options.close_timeout,
            # Limits
            max_size=options.max_size,
            logger=WIRE_LOG,
            create_connection=_Connection,
        )
    except InvalidStatus as refusal:
        response = refusal.response
        retry_after = parse_retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        raise HandshakeRefused(response.status_code, retry_after) from None
    # ValueError: a redirect to no address; ImportError: a SOCKS proxy in the environment without python-socks.
    except (OSError, WebSocketException, EOFError, ValueError, ImportError) as error:
        raise ConnectError(f"no connection ({_describe(error)})") from None
    return WebSocketLink(connection, options.close_timeout)


class WebSocketLink:
    """A `Link` over `websockets`.

    Args:
        connection: an open connection, without a keep-alive of its own.
        close_timeout: how long a closing handshake may take, in seconds.
    """

    def __init__(self, connection: ClientConnection, close_timeout: float) -> None:
        self._connection = connection
        self._close_timeout = close_timeout

    @property
    def subprotocol(self) -> str | None:
        """See `Link`."""
        return self._connection.subprotocol

    @property
    def close_code(self) -> int:
        """See `Link`."""
        return self._connection.close_code or ABNORMAL

    @property
    def close_reason(self) -> str:
        """See `Link`."""
        return self._connection.close_reason or ""

    @property
    def failure(self) -> str | None:
        """See `Link`."""
        protocol = self._connection.protocol
        if protocol.close_rcvd is None and protocol.close_sent is not None:
            return f"this side closed with {int(protocol.close_sent.code)}"
        return None

    async def send(self, data: str | bytes) -> None:
        """See `Link`."""
        if self._connection.state is not State.OPEN:
            raise LinkClosed(written=False)
        try:
            await self._connection.send(data)
        except ConnectionClosed:
            raise LinkClosed(written=True) from None

    async def receive(self) -> str | bytes:
        """See `Link`."""
        try:
            return await self._connection.recv()
        except ConnectionClosed:
            raise LinkClosed(written=False) from None

    async def ping(self, answered: Callable[[], None]) -> None:
        """See `Link`."""

        def tell(pong: asyncio.Future[float]) -> None:
            if not pong.cancelled() and pong.exception() is None:
                answered()

        try:
            pong = await self._connection.ping()
        except ConnectionClosed:
            raise LinkClosed(written=True) from None
        asyncio.ensure_future(pong).add_done_callback(tell)

    async def close(self, code: int, reason: str) -> None:
        """See `Link`."""
        try:
            async with asyncio.timeout(self._close_timeout):
                await self._connection.close(code, reason)
        except TimeoutError:
            self.abort()
            await self._connection.wait_closed()

    def abort(self) -> None:
        """See `Link`."""
        self._connection.transport.abort()


def _describe(error: BaseException) -> str:
    """The kind of error, with the system's words for it where they hold no address."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"{type(error).__name__}: {error.verify_message}"
        case socket.gaierror():
            return f"{type(error).__name__}: {error.strerror}"
        case _:
            return type(error).__name__
