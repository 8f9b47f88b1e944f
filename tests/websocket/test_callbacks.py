"""Callbacks are told in order, and their errors end nothing."""

from typing import Any

import pytest

from agent.websocket import ConnectError, LinkLost, Message, WebSocketClient, WebSocketError
from tests.websocket.helpers import NOBODY, ONCE, QUICK, open_client, stop_of
from tests.websocket.server import Server

pytestmark = pytest.mark.timeout(30)


async def test_callbacks_are_told_in_order_and_may_be_replaced(server: Server, stack: Any) -> None:
    """on_open, on_message, on_error, on_close; the latest function is the one that is called."""
    told: list[str] = []
    client = WebSocketClient(
        server.url,
        ONCE,
        on_open=lambda opened: told.append("open"),
        on_error=lambda error: told.append(f"error {type(error).__name__}"),
        on_close=lambda close: told.append(f"close {close.code}"),
        on_reconnect_stop=lambda attempts, close: told.append(f"stop {attempts}"),
    )
    events = client.events()
    await open_client(client, stack)
    client.callbacks.on_message = lambda message: told.append(f"message {message.data!r}")
    link = await server.link()
    await link.send("x")
    link.transport.abort()
    await stop_of(events)
    assert told == ["open", "message 'x'", "error LinkLost", "close 1006", "stop 0"]


async def test_an_error_in_a_callback_ends_nothing(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged by its type and place, without its words; the other callbacks, the streams and the link go on."""

    def broken(_: object) -> Any:
        raise ValueError("what somebody said")

    async def coroutine(_: object) -> None:
        raise AssertionError("nobody awaits it")

    def broken_for_hello(message: Message) -> bool:
        return True if message.data != "hello" else broken(message)

    server.echo = True
    client = WebSocketClient(
        server.url,
        QUICK,
        on_open=broken,
        on_message=coroutine,
        on_close=broken,
        on_error=broken,
        filter=broken_for_hello,
    )
    events = client.events()
    async with client:
        (await server.link()).transport.abort()
        await server.link()
        client.send_message("hello")
        client.send_message("still there")
        while not isinstance(event := await anext(events), Message):
            pass
        assert event.data == "still there"
    for name in ("on_open", "on_close", "on_error", "filter"):
        assert f"{name} failed (ValueError in test_callbacks.py" in caplog.text
    assert "on_message must be a plain function" in caplog.text
    assert "somebody" not in caplog.text


async def test_errors_have_types_and_come_before_the_close(server: Server) -> None:
    """No server, a dropped link: each is an error of its own kind, and part of the close."""
    errors: list[WebSocketError] = []
    client = WebSocketClient(NOBODY, ONCE, on_error=errors.append)
    events = client.events()
    async with client:
        stop = await stop_of(events)
        assert stop.close is not None
        assert (stop.close.opened, stop.close.code, stop.close.error) == (False, 1006, errors[0])
        await client.retarget(server.url)
        (await server.link()).transport.abort()
        await stop_of(events)
    assert [type(error) for error in errors] == [ConnectError, LinkLost]
    assert str(errors[0]) == "no connection (ConnectionRefusedError)"
