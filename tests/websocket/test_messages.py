"""What is received and what is sent, against a real server."""

import asyncio
import random
from typing import Any

import pytest

from agent.websocket import (
    UNPARSABLE,
    Message,
    Opened,
    SendResult,
    WebSocketClient,
)
from tests.websocket.helpers import QUICK, next_end, open_client, opened
from tests.websocket.server import Server

pytestmark = pytest.mark.timeout(30)


# Receiving


async def test_every_message_is_seen_once_and_in_order(server: Server) -> None:
    """No message is overtaken by the next, however fast they come; the last one stays."""
    async with WebSocketClient(server.url) as client:
        messages = client.messages()
        link = await server.link()
        for number in range(500):
            await link.send(str(number))
        assert [int((await anext(messages)).data) for _ in range(500)] == list(range(500))
        assert client.last_message == Message("499")


async def test_json_is_parsed_when_asked_for_and_what_is_none_has_a_mark(server: Server, stack: Any) -> None:
    """None before the first message, `UNPARSABLE` (empty, like the library's {}) for what is no JSON."""
    client = await open_client(WebSocketClient(server.url), stack)
    assert client.last_message is None
    assert client.last_json_message is None
    link, messages = await server.link(), client.messages()
    cases: list[tuple[str | bytes, Any]] = [
        ('{"a":[1]}', {"a": [1]}),
        (b'"binary"', "binary"),
        ("{", UNPARSABLE),
        ("NaN", UNPARSABLE),
        ("[" * 100_000, UNPARSABLE),
        ("1" * 5000, UNPARSABLE),
        (b"\xff\xfe\xfd", UNPARSABLE),
        ("null", None),
    ]
    for raw, parsed in cases:
        await link.send(raw)
        await anext(messages)
        assert client.last_json_message == parsed
        assert (client.last_json_message is UNPARSABLE) == (parsed is UNPARSABLE)
    assert dict(UNPARSABLE) == {}


async def test_json_can_be_disabled(server: Server, stack: Any) -> None:
    """Then `last_json_message` stays None; the message is there."""
    client = await open_client(WebSocketClient(server.url, disable_json=True), stack)
    messages = client.messages()
    await (await server.link()).send("{}")
    await anext(messages)
    assert client.last_message == Message("{}")
    assert client.last_json_message is None


async def test_on_message_sees_everything_and_the_filter_decides_what_stays(server: Server, stack: Any) -> None:
    """First `on_message`, then `filter`; only exactly true lets a message through."""
    order: list[str] = []

    def wanted(message: Message) -> bool:
        order.append(f"filter {message.data!r}")
        return {"yes": True, "truthy": 1, "no": False}.get(str(message.data), True)  # type: ignore[return-value]

    client = WebSocketClient(server.url, on_message=lambda m: order.append(f"message {m.data!r}"), filter=wanted)
    await open_client(client, stack)
    messages, link = client.messages(), await server.link()
    for text in ("yes", "truthy", "no", "last"):
        await link.send(text)
    assert [(await anext(messages)).data, (await anext(messages)).data] == ["yes", "last"]
    assert order[:4] == ["message 'yes'", "filter 'yes'", "message 'truthy'", "filter 'truthy'"]
    assert len(order) == 8


async def test_a_slow_reader_holds_the_connection_back_instead_of_losing_messages(server: Server, stack: Any) -> None:
    """Back-pressure: what is not read waits at the server, not in our memory; closing does not wait for the reader."""
    client = await open_client(WebSocketClient(server.url, buffer=4), stack)
    messages, link = client.messages(), await server.link()
    sending = asyncio.create_task(flood(link))
    await asyncio.wait_for(full_stop(sending, lambda: link.transport.get_write_buffer_size()), 20)
    assert not sending.done()
    sending.cancel()
    assert (await anext(messages)).data[0] == 0
    await asyncio.wait_for(client.aclose(), 10)


async def flood(link: Any) -> None:
    for number in range(1000):
        await link.send(bytes([number % 256]) + random.randbytes(50_000))  # cannot be compressed


async def full_stop(sending: "asyncio.Task[None]", size: Any) -> None:
    """Wait until the sender waits, too."""
    seen = -1
    while not sending.done() and (seen != size() or size() == 0):
        seen = size()
        await asyncio.sleep(0.1)


# Sending


async def test_what_is_sent_before_the_link_is_open_leaves_in_order_when_it_is(server: Server) -> None:
    """The queue: messages before the first link, and between two of them."""
    client = WebSocketClient(server.url, QUICK, connect=False)
    early = [client.send_message(f"early {number}") for number in range(3)]
    assert client.queued == 3
    async with client:
        await client.connect()
        link = await server.link()
        assert await server.messages(3) == ["early 0", "early 1", "early 2"]
        assert [await each for each in early] == [SendResult.SENT] * 3
        closed = client.events()
        link.transport.abort()
        await next_end(closed)
        client.send_json_message({"é": 1})
        assert await server.messages(1) == ['{"é":1}']


async def test_keep_false_is_now_or_never(server: Server, stack: Any) -> None:
    """Without a link it is dropped at once; with one it is sent."""
    client = WebSocketClient(server.url)
    assert await client.send_message("lost", keep=False) is SendResult.DROPPED
    assert client.queued == 0
    await open_client(client, stack)
    assert await client.send_message("kept", keep=False) is SendResult.SENT
    assert await server.messages(1) == ["kept"]


async def test_a_message_that_waits_too_long_expires(server: Server) -> None:
    """Its time to live is its own or the client's; who awaits it is told as soon as it has passed."""
    async with WebSocketClient(None, message_ttl=0.02) as client:
        late = client.send_message("long", ttl=60)
        assert await client.send_message("short") is SendResult.EXPIRED
        assert await client.send_message("shorter", ttl=0.01) is SendResult.EXPIRED
        await client.retarget(server.url)
        assert await late is SendResult.SENT
    assert await server.messages(1) == ["long"]


async def test_a_full_queue_says_so(server: Server) -> None:
    """Bounded in number and in bytes."""
    async with WebSocketClient(None, queue_size=2, queue_bytes=10) as client:
        assert client.send_message("1").result is None
        assert await client.send_message("x" * 10) is SendResult.DROPPED
        assert client.send_message("2").result is None
        assert await client.send_message("3") is SendResult.DROPPED
        assert client.queued == 2
        with pytest.raises(ValueError, match="larger than queue_bytes"):
            client.send_message("x" * 11)


async def test_a_message_for_a_link_that_is_gone_is_dropped(server: Server) -> None:
    """Fenced by the link's number: what was decided on one link never leaves on the next."""
    client = WebSocketClient(server.url, QUICK)
    events = client.events()
    async with client:
        first = await anext(events)
        assert isinstance(first, Opened)
        assert await client.send_message("1", only_on=first.connection) is SendResult.SENT
        assert await server.messages(1) == ["1"]
        (await server.link()).transport.abort()
        second = await opened(events)
        assert await client.send_message("stale", only_on=first.connection) is SendResult.DROPPED
        assert await client.send_message("2", only_on=second.connection) is SendResult.SENT
        assert await server.messages(1) == ["2"]


async def test_what_on_open_sends_comes_first(server: Server) -> None:
    """A log-in leaves before what waited for it."""
    client: WebSocketClient

    def log_in(opened: Opened) -> None:
        client.send_message("log in")

    client = WebSocketClient(server.url, on_open=log_in, connect=False)
    client.send_message("waited")
    async with client:
        await client.connect()
        assert await server.messages(2) == ["log in", "waited"]


async def test_what_json_or_utf8_cannot_say_is_refused_before_it_can_end_the_link(server: Server, stack: Any) -> None:
    """`websockets` would close the connection over a lone surrogate, and log it."""
    client = await open_client(WebSocketClient(server.url), stack)
    with pytest.raises(ValueError, match="lone surrogate"):
        client.send_message("\ud83d")
    with pytest.raises(ValueError, match="JSON"):
        client.send_json_message(float("nan"))
    assert await client.send_message(b"\x00binary") is SendResult.SENT
    assert await server.messages(1) == [b"\x00binary"]
