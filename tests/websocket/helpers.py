"""Waiting for what a client does, without sleeping."""

import contextlib
from typing import TypeVar

from agent.websocket import Closed, Event, Opened, Options, ReadyState, Stopped, Stream, WebSocketClient

Kind = TypeVar("Kind", bound=Event)

QUICK = Options(reconnect_interval=0.01)
ONCE = Options(reconnect_attempts=0)
NOBODY = "ws://127.0.0.1:9/"


async def until(states: Stream[ReadyState], wanted: ReadyState) -> list[ReadyState]:
    """The states up to one."""
    seen = [await anext(states)]
    while seen[-1] is not wanted:
        seen.append(await anext(states))
    return seen


async def is_open(client: WebSocketClient) -> None:
    """Wait until a client is open."""
    await until(client.states(), ReadyState.OPEN)


def state_of(client: WebSocketClient) -> ReadyState:
    """The state now."""
    return client.ready_state


async def opened(events: Stream[Event]) -> Opened:
    """The next opening."""
    return await _next(events, Opened)


async def next_end(events: Stream[Event]) -> Closed:
    """The next end of a link, or of an attempt."""
    return await _next(events, Closed)


async def stop_of(events: Stream[Event]) -> Stopped:
    """The next stop."""
    return await _next(events, Stopped)


async def open_client(client: WebSocketClient, stack: contextlib.AsyncExitStack) -> WebSocketClient:
    """The client, entered and open."""
    await stack.enter_async_context(client)
    await is_open(client)
    return client


async def _next(events: Stream[Event], kind: type[Kind]) -> Kind:
    async for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"the stream ended without {kind.__name__}")
