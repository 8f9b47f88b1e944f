"""What one client is told of a connection, and whom it tells: callbacks, filter, last message, streams."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.websocket.callbacks import call
from agent.websocket.closes import Close
from agent.websocket.errors import WebSocketError
from agent.websocket.events import Closed, Event, Message, Opened, ReadyState, Stopped
from agent.websocket.outbox import Outbox
from agent.websocket.reconnect import StopReason
from agent.websocket.streams import Publisher, Stream

STATES_KEPT = 64


@dataclass(kw_only=True)
class Callbacks:
    """A user's functions; see `WebSocketClient`. Each may be replaced at any time, the latest is called."""

    on_open: Callable[[Opened], object] | None = None
    on_close: Callable[[Close], object] | None = None
    on_message: Callable[[Message], object] | None = None
    on_error: Callable[[WebSocketError], object] | None = None
    on_reconnect_stop: Callable[[int, Close | None], object] | None = None
    filter: Callable[[Message], bool] | None = None


class Inbox:
    """One `Subscriber` of a connection.

    Args:
        callbacks: whom to tell.
        outbox: what the connection sends for this subscriber.
        buffer: how many messages a reader may be behind.
    """

    def __init__(self, callbacks: Callbacks, outbox: Outbox, buffer: int) -> None:
        self.callbacks = callbacks
        self.outbox = outbox
        self.state = ReadyState.UNINSTANTIATED
        self.last_message: Message | None = None
        self.drop_when_stopped = False
        self._buffer = buffer
        self._events = Publisher[Event]()
        self._messages = Publisher[Message]()
        self._states = Publisher[ReadyState]()

    def events(self) -> Stream[Event]:
        """Every event from now on."""
        return self._events.open(self._buffer, drop_oldest=False)

    def messages(self) -> Stream[Message]:
        """Every message that passes the filter."""
        return self._messages.open(self._buffer, drop_oldest=False)

    def states(self) -> Stream[ReadyState]:
        """The state now and all that follow."""
        return self._states.open(STATES_KEPT, drop_oldest=True, first=(self.state,))

    def close(self, error: BaseException | None = None) -> None:
        """End the streams."""
        self._events.close(error)
        self._messages.close(error)
        self._states.close(error)

    # From the connection (see `Subscriber`)

    def state_changed(self, state: ReadyState) -> None:
        """The connection is in another state."""
        self.state = state
        self._states.put(state)

    def opened(self, event: Opened) -> None:
        """A link is open: what `on_open` sends goes out before what waited."""
        self.outbox.begin_opening()
        if self.callbacks.on_open is not None:
            call("on_open", self.callbacks.on_open, event)
        self.outbox.end_opening()
        self._events.put(event)

    def received(self, message: Message, is_heartbeat: bool) -> None:
        """A message came."""
        if self.callbacks.on_message is not None:
            call("on_message", self.callbacks.on_message, message)
        if self.callbacks.filter is not None and call("filter", self.callbacks.filter, message).value is not True:
            return
        if not is_heartbeat:
            self.last_message = message
            self._messages.put(message)
            self._events.put(message)

    def closed(self, event: Closed) -> None:
        """A link ended, or an attempt failed."""
        self.outbox.link_ended()
        if event.close.error is not None and self.callbacks.on_error is not None:
            call("on_error", self.callbacks.on_error, event.close.error)
        if self.callbacks.on_close is not None:
            call("on_close", self.callbacks.on_close, event.close)
        self._events.put(event)

    def stopped(self, event: Stopped) -> None:
        """There will be no further attempt."""
        if event.reason is StopReason.EXHAUSTED and self.callbacks.on_reconnect_stop is not None:
            call("on_reconnect_stop", self.callbacks.on_reconnect_stop, event.attempts, event.close)
        if self.drop_when_stopped:
            self.outbox.drop_all()
        self._events.put(event)

    def crashed(self, error: BaseException) -> None:
        """The connection's task ended with an error of ours: whoever reads is told."""
        self.close(error)

    async def ready(self) -> None:
        """Wait for the readers of the streams."""
        await self._events.room()
        await self._messages.room()

    def relax(self, relaxed: bool) -> None:
        """Whether the connection waits for no reader, because it is being closed."""
        self._events.relax(relaxed)
        self._messages.relax(relaxed)
