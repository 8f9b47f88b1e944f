"""The client: react-use-websocket 4 as an asyncio class."""

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from agent.websocket.address import Scalar, Url, as_address
from agent.websocket.closes import GOING_AWAY, NORMAL, Close
from agent.websocket.connection import Connection
from agent.websocket.errors import WebSocketError
from agent.websocket.events import Closed, Event, Message, Opened, ReadyState, Stopped
from agent.websocket.inbox import Callbacks, Inbox
from agent.websocket.options import Options
from agent.websocket.outbox import Outbox, Outgoing, SendResult
from agent.websocket.pool import SharedPool
from agent.websocket.reconnect import StopReason
from agent.websocket.streams import Stream
from agent.websocket.transport import Transport, open_link


class WebSocketClient:
    """A WebSocket that comes back.

    Use it as an asynchronous context manager: entering begins to connect, leaving closes. The callbacks are plain
    functions and may be replaced at any time, as attributes of `callbacks`; an error in one is logged and ends nothing.

    Args:
        url: an address, a plain or coroutine function that makes one, asked anew at each attempt, or None for none yet.
        options: how to connect and when to connect again.
        connect: whether entering the context begins to connect; else `connect()` does.
        share: a pool to share the connection in.
        on_open: a link is open; what it sends goes out before what waits in the queue.
        on_close: a link ended, or an attempt to open one failed.
        on_message: every message, before `filter`, heartbeats included.
        on_error: something failed; `on_close` follows.
        on_reconnect_stop: the attempts are used up: their number and the last end.
        filter: which messages become `last_message` and reach the streams; all without one.
        disable_json: whether `last_json_message` stays None.
        queue_size: how many messages may wait to be sent.
        queue_bytes: how large they may be together.
        message_ttl: seconds after which a message that waits is worth nothing, unless it says otherwise.
        buffer: how many messages a slow reader of a stream may be behind before the connection waits for it.
        transport, clock, sleep: what opens links, monotonic seconds, and waiting between attempts; for tests.
    """

    def __init__(
        self,
        url: Url | None,
        options: Options | None = None,
        *,
        connect: bool = True,
        share: SharedPool | None = None,
        # Callbacks
        on_open: Callable[[Opened], object] | None = None,
        on_close: Callable[[Close], object] | None = None,
        on_message: Callable[[Message], object] | None = None,
        on_error: Callable[[WebSocketError], object] | None = None,
        on_reconnect_stop: Callable[[int, Close | None], object] | None = None,
        filter: Callable[[Message], bool] | None = None,
        disable_json: bool = False,
        # Limits
        queue_size: int = 1000,
        queue_bytes: int = 4 * 1024 * 1024,
        message_ttl: float = 60.0,
        buffer: int = 256,
        # Escape hatches for tests
        transport: Transport = open_link,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.callbacks = Callbacks(
            on_open=on_open,
            on_close=on_close,
            on_message=on_message,
            on_error=on_error,
            on_reconnect_stop=on_reconnect_stop,
            filter=filter,
        )
        self.disable_json = disable_json
        self._outbox = Outbox(queue_size, queue_bytes)
        self._inbox = Inbox(self.callbacks, self._outbox, buffer)
        self._url = url
        self._options = options if options is not None else Options()
        self._pool = share if share is not None else SharedPool()
        self._create = partial(Connection, transport=transport, clock=clock, sleep=sleep)
        self._clock = clock
        self._message_ttl = message_ttl
        self._connection: Connection | None = None
        self._connect_at_once = connect
        self._wanted = False
        self._closing = False
        self._switching = asyncio.Lock()
        self._expiry: asyncio.TimerHandle | None = None
        self._expires_at = math.inf

    def __repr__(self) -> str:
        where = "no url" if self._url is None else "url function" if callable(self._url) else str(as_address(self._url))
        return f"<WebSocketClient {where} {self.ready_state.name}>"

    # State

    @property
    def ready_state(self) -> ReadyState:
        """Where the connection stands."""
        return self._inbox.state

    @property
    def last_message(self) -> Message | None:
        """The latest message that passed the filter; None before the first, and after `disconnect` or `retarget`."""
        return self._inbox.last_message

    @property
    def last_json_message(self) -> Any:
        """Its JSON; `UNPARSABLE` if it is none, None before the first or with `disable_json`."""
        message = self._inbox.last_message
        return None if self.disable_json or message is None else message.json

    @property
    def connection(self) -> int | None:
        """The number of the open link, as in `Opened`."""
        return self._connection.current if self._connection is not None else None

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the server chose."""
        return self._connection.subprotocol if self._connection is not None else None

    @property
    def rtt(self) -> float | None:
        """The latest round trip in seconds, by ping or heartbeat; None until one was answered on this link."""
        return self._connection.rtt if self._connection is not None else None

    @property
    def queued(self) -> int:
        """How many messages wait to be sent."""
        return len(self._outbox)

    # Streams, each for one reader, of what happens from now on until the client is closed

    def events(self) -> Stream[Event]:
        """Openings, messages, ends and stops in their order; nothing is left out."""
        return self._inbox.events()

    def messages(self) -> Stream[Message]:
        """What becomes `last_message`, every single one."""
        return self._inbox.messages()

    def states(self) -> Stream[ReadyState]:
        """The state now, and each that follows; a reader that is 64 states behind misses the oldest."""
        return self._inbox.states()

    # Sending

    def send_message(
        self, data: str | bytes, keep: bool = True, *, ttl: float | None = None, only_on: int | None = None
    ) -> Outgoing:
        """Send a message in its order; never waits.

        Args:
            data: text, or bytes to send as binary.
            keep: whether it may wait for the next link when there is none; False: now or never.
            ttl: seconds after which it is worth nothing; the client's `message_ttl` otherwise.
            only_on: the number of the link that it is meant for (`Opened.connection`): it is dropped if that is gone.

        Returns:
            Something to await for its `SendResult`, or to ignore.

        Raises:
            ValueError: a text holds a lone surrogate, which no server could read, or a message is larger than the
                whole queue may be.
        """
        expires_at = self._clock() + (self._message_ttl if ttl is None else ttl)
        try:
            message = Outgoing(data, keep=keep and only_on is None, expires_at=expires_at)
        except UnicodeEncodeError:
            raise ValueError("the message holds a lone surrogate") from None
        if message.size > self._outbox.max_bytes:
            raise ValueError(f"the message is larger than queue_bytes ({message.size} bytes)")
        current = self.connection
        if self._closing or (current is None and not message.keep) or only_on not in (None, current):
            message.resolve(SendResult.DROPPED)
            return message
        self._outbox.add(message)
        self._expire_at(message.expires_at)
        if self._connection is not None:
            self._connection.wake()
        return message

    def send_json_message(
        self, value: Any, keep: bool = True, *, ttl: float | None = None, only_on: int | None = None
    ) -> Outgoing:
        """Send a value as JSON; see `send_message`. Raises ValueError or TypeError for what JSON cannot say."""
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return self.send_message(text, keep, ttl=ttl, only_on=only_on)

    # Connecting

    async def __aenter__(self) -> Self:
        if self._connect_at_once:
            await self.connect()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def connect(self) -> None:
        """Begin to connect, with all attempts left; does nothing while that is under way, or without a url."""
        async with self._switching:
            if not self._closing:
                self._wanted = True
                self._join()

    async def disconnect(self, code: int = NORMAL, reason: str = "") -> None:
        """Close the connection, or leave it to those who share it, until `connect`; what is queued stays queued."""
        async with self._switching:
            self._wanted = False
            await self._leave(code, reason)

    async def retarget(self, url: Url | None, *, query_params: Mapping[str, Scalar] | None = None) -> None:
        """Use another url, and other query parameters if they are given, from now on: leaves the old connection."""
        async with self._switching:
            await self._leave(GOING_AWAY, "")
            self._url = url
            if query_params is not None:
                self._options = replace(self._options, query_params=query_params)
            if self._wanted:
                self._join()

    async def reconnect(self) -> None:
        """Give up the open link for a new one, after the usual pause: for a server that is there but does not answer.
        Everybody who shares the connection is reconnected.
        """
        if self._connection is not None:
            await self._connection.drop()

    async def aclose(self, drain: float = 0.0, code: int = NORMAL, reason: str = "") -> None:
        """Close for good: send what is queued, for `drain` seconds at most, then leave; idempotent.

        What could not be sent is dropped, and the streams end. Raises what ended the connection's task, if that was
        an error of ours.
        """
        if drain > 0 and not self._closing:
            self._closing = True
            await self._drain(drain)
        self._closing = True
        try:
            await self.disconnect(code, reason)
        finally:
            self._outbox.drop_all()
            if self._expiry is not None:
                self._expiry.cancel()
                self._expiry = None
            self._inbox.close()

    def _join(self) -> None:
        if self._url is None:
            return
        if self._connection is None:
            self._connection = self._pool.join(self._url, self._options, self._inbox, self._create)
        self._connection.start()

    async def _leave(self, code: int, reason: str) -> None:
        connection = self._connection
        if connection is None:
            return
        self._inbox.relax(True)
        try:
            number, running = connection.current, connection.running
            closed_it = await self._pool.leave(connection, self._inbox, code, reason)
        finally:
            self._connection = None
            self._inbox.last_message = None
            self._inbox.relax(False)
        if not closed_it and running:  # the others go on: nobody else tells us
            close = Close(code, opened=True, by_us=True) if number is not None else None
            self._inbox.state_changed(ReadyState.CLOSED)
            if close is not None:
                self._inbox.closed(Closed(close, None))
            self._inbox.stopped(Stopped(StopReason.CLOSED, 0, close))

    async def _drain(self, seconds: float) -> None:
        if self._connection is None or not self._connection.running:
            return
        self._inbox.drop_when_stopped = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for message in self._outbox:
                    await message

    def _expire_at(self, when: float) -> None:
        """Have one timer, for the message that expires first."""
        if not math.isfinite(when) or (self._expiry is not None and self._expires_at <= when):
            return
        if self._expiry is not None:
            self._expiry.cancel()
        self._expires_at = when
        self._expiry = asyncio.get_running_loop().call_later(max(0.0, when - self._clock()), self._expire)

    def _expire(self) -> None:
        self._expiry = None
        self._outbox.expire(self._clock())
        if (following := self._outbox.next_expiry()) is not None:
            self._expire_at(following)
