"""Keeps one connection open: one task that resolves, connects, serves, waits and begins again.

There is never more than one attempt or one pause at a time, because there is only that one task.
"""

import asyncio
import itertools
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from agent.websocket.address import Url, resolve
from agent.websocket.attempts import Attempts, Retry, Stop
from agent.websocket.closes import GOING_AWAY, NORMAL, Close
from agent.websocket.errors import LinkLost, WebSocketError
from agent.websocket.events import Closed, Message, Opened, ReadyState, Stopped
from agent.websocket.options import Options
from agent.websocket.outbox import Outbox, Outgoing, SendResult
from agent.websocket.reconnect import StopReason
from agent.websocket.transport import Link, LinkClosed, Transport, open_link
from agent.websocket.watch import Watch

logger = logging.getLogger("agent.websocket")

# No two links of a process have the same number, so that `only_on` never means another one.
LINK_NUMBERS = itertools.count(1)


class Subscriber(Protocol):
    """Who is told what happens to a connection, and whose messages it sends. Nothing of this waits, except `ready`."""

    outbox: Outbox

    def state_changed(self, state: ReadyState) -> None:
        """The connection is in another state; also told once on joining."""

    def opened(self, event: Opened) -> None:
        """A link is open; also told on joining when there is one."""

    def received(self, message: Message, is_heartbeat: bool) -> None:
        """A message came."""

    def closed(self, event: Closed) -> None:
        """A link ended, or an attempt failed."""

    def stopped(self, event: Stopped) -> None:
        """There will be no further attempt."""

    def crashed(self, error: BaseException) -> None:
        """The connection's task ended with an error of ours."""

    async def ready(self) -> None:
        """Wait until the subscriber can take another message."""

    def relax(self, relaxed: bool) -> None:
        """Whether `ready` does not wait, because the connection is being closed."""


class Connection:
    """One connection for any number of subscribers.

    Args:
        url: where to, asked anew at each attempt if it is a function.
        options: how, and when again.
        transport: opens links.
        clock: monotonic seconds.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        url: Url,
        options: Options,
        *,
        transport: Transport = open_link,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url
        self.options = options
        self._transport = transport
        self._clock = clock
        self._sleep = sleep
        self.state = ReadyState.UNINSTANTIATED
        self._subscribers: list[Subscriber] = []
        self._turns: deque[Subscriber] = deque()
        self._session: asyncio.Task[None] | None = None
        self._attempts = Attempts(options)
        self._link: Link | None = None
        self._watch: Watch | None = None
        self._opened: Opened | None = None
        self._wake = asyncio.Event()
        self._leaving = False
        self._asked_anew: int | None = None

    @property
    def current(self) -> int | None:
        """The number of the open link."""
        return self._opened.connection if self._opened is not None else None

    @property
    def subprotocol(self) -> str | None:
        """What the server chose of the offered subprotocols."""
        return self._opened.subprotocol if self._opened is not None else None

    @property
    def rtt(self) -> float | None:
        """The latest round trip of the open link in seconds."""
        return self._watch.rtt if self._watch is not None else None

    @property
    def subscribers(self) -> int:
        """How many share it."""
        return len(self._subscribers)

    @property
    def running(self) -> bool:
        """Whether it is open or will try again."""
        return self._session is not None and not self._session.done()

    def join(self, subscriber: Subscriber) -> None:
        """Tell a new subscriber how things stand, and everything from now on."""
        self._subscribers.append(subscriber)
        self._turns.append(subscriber)
        if self.running:
            subscriber.state_changed(self.state)
        if self._opened is not None:
            subscriber.opened(self._opened)
        self.wake()

    def leave(self, subscriber: Subscriber) -> None:
        """Tell this subscriber nothing more."""
        self._subscribers.remove(subscriber)
        self._turns.remove(subscriber)

    def start(self) -> None:
        """Begin to connect, with all attempts left; does nothing while it is running."""
        if not self.running:
            self._attempts = Attempts(self.options)
            self._session = asyncio.create_task(self._run(), name="websocket")
            self._session.add_done_callback(self._session_ended)

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

    async def drop(self, code: int = GOING_AWAY) -> None:
        """Close the open link and connect again after the usual pause, whatever `should_reconnect` says."""
        if self._link is not None and not self._leaving:
            self._asked_anew = code
            self._set_state(ReadyState.CLOSING)
            await self._link.close(code, "")

    async def aclose(self, code: int = NORMAL, reason: str = "") -> None:
        """Close the open link, or give up the attempt, and wait until the task has ended.

        Raises what ended that task, if it was an error of ours.
        """
        if (session := self._session) is None:
            return
        if session.done():
            if not session.cancelled():
                session.result()
            return
        self._leaving = True
        self._relax(True)
        try:
            if (link := self._link) is not None:
                self._set_state(ReadyState.CLOSING)
                await link.close(code, reason)
            else:
                session.cancel()
            await asyncio.wait({session})
        finally:
            session.cancel()
            self._relax(False)
            self._leaving = False
        if session.cancelled():
            self._stop(StopReason.CLOSED, 0, None)
        else:
            session.result()

    async def _run(self) -> None:
        while True:
            self._set_state(ReadyState.CONNECTING)
            close = await self._attempt()
            decision = Stop(StopReason.CLOSED, 0) if self._leaving else self._attempts.after(close)
            self._ended(close, decision)
            if isinstance(decision, Stop):
                self._stop(decision.reason, decision.attempts, close)
                return
            await self._ready()
            await self._sleep(decision.delay)

    async def _attempt(self) -> Close:
        """Connect, and serve the link until it ends."""
        try:
            address = await resolve(self._url, self.options.open_timeout)
            address = address.with_defaults(
                self.options.query_params, self.options.headers, self.options.offered_protocols
            )
            address.check()
            link = await self._transport(address, self.options)
        except WebSocketError as error:
            return Close(error=error)
        return await self._serve(link)

    async def _serve(self, link: Link) -> Close:
        self._asked_anew = None
        watch = Watch(link, self.options, self._clock)
        began = self._clock()
        self._link, self._watch = link, watch
        self._opened = opened = Opened(next(LINK_NUMBERS), link.subprotocol)
        try:
            self._set_state(ReadyState.OPEN)
            logger.info("websocket: open", extra={"connection": opened.connection})
            for subscriber in tuple(self._subscribers):
                subscriber.opened(opened)
            async with asyncio.TaskGroup() as tasks:
                helpers = [tasks.create_task(self._write(link, watch)), tasks.create_task(watch.run())]
                await self._read(link, watch)
                for helper in helpers:
                    helper.cancel()
        finally:
            self._link = self._watch = self._opened = None
            link.abort()
        return self._close_of(link, watch, self._clock() - began)

    def _close_of(self, link: Link, watch: Watch, seconds: float) -> Close:
        if self._asked_anew is not None:
            return Close(self._asked_anew, opened=True, by_us=True, seconds=seconds)
        error: WebSocketError | None = watch.verdict
        code = link.close_code
        ending = Close(code, link.close_reason, opened=True, by_us=self._leaving, seconds=seconds)
        if error is None and not ending.was_clean and not self._leaving:
            error = LinkLost(f"the link was lost ({link.failure or 'without a closing handshake'})")
        return Close(code, link.close_reason, opened=True, by_us=self._leaving, seconds=seconds, error=error)

    async def _read(self, link: Link, watch: Watch) -> None:
        while True:
            with watch.held():
                await self._ready()
            try:
                data = await link.receive()
            except LinkClosed:
                return
            is_heartbeat = watch.heard(data)
            message = Message(data, self._clock())
            for subscriber in tuple(self._subscribers):
                subscriber.received(message, is_heartbeat)

    async def _write(self, link: Link, watch: Watch) -> None:
        """Send what the subscribers' outboxes hold, one message of each in turn."""
        while True:
            self._wake.clear()
            if (turn := self._next_turn()) is None:
                await self._wake.wait()
                continue
            outbox, message = turn
            result: SendResult | None = SendResult.DROPPED
            try:
                async with asyncio.timeout(self.options.send_timeout):
                    await link.send(message.data)
                result = SendResult.SENT
            except LinkClosed as closed:
                result = SendResult.DROPPED if closed.written else None
                return
            except TimeoutError:
                watch.give_up(f"the link is dead: a message could not be written in {self.options.send_timeout:g} s")
                return
            finally:
                outbox.settle(message, result)

    def _next_turn(self) -> tuple[Outbox, Outgoing] | None:
        for subscriber in self._turns:
            if (message := subscriber.outbox.next(self._clock())) is not None:
                self._turns.remove(subscriber)
                self._turns.append(subscriber)
                return subscriber.outbox, message
        return None

    async def _ready(self) -> None:
        for subscriber in tuple(self._subscribers):
            await subscriber.ready()

    def _relax(self, relaxed: bool) -> None:
        for subscriber in self._subscribers:
            subscriber.relax(relaxed)

    def _ended(self, close: Close, decision: Retry | Stop) -> None:
        retry_in = decision.delay if isinstance(decision, Retry) else None
        self._set_state(ReadyState.CLOSED)
        logger.info("websocket: %s", close, extra={"retry_in": retry_in} if retry_in is not None else None)
        for subscriber in tuple(self._subscribers):
            subscriber.closed(Closed(close, retry_in))

    def _stop(self, reason: StopReason, attempts: int, close: Close | None) -> None:
        self._set_state(ReadyState.CLOSED)
        for subscriber in tuple(self._subscribers):
            subscriber.stopped(Stopped(reason, attempts, close))

    def _set_state(self, state: ReadyState) -> None:
        if state is not self.state:
            self.state = state
            for subscriber in tuple(self._subscribers):
                subscriber.state_changed(state)

    def _session_ended(self, session: asyncio.Task[None]) -> None:
        if session is self._session:
            self._set_state(ReadyState.CLOSED)
        if not session.cancelled() and (error := session.exception()) is not None:
            logger.error("websocket: the connection ended by an error of ours (%s)", type(error).__name__)
            for subscriber in tuple(self._subscribers):
                subscriber.crashed(error)
