"""A hostile server cannot make the client wait, grow or fall over."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from agent.websocket import Close, Closed, ConnectError, Message, Options, WebSocketClient
from tests.websocket.server import Server

pytestmark = pytest.mark.timeout(60)

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(answer: Answer) -> AsyncIterator[str]:
    """A TCP server that answers a handshake as it likes."""
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/?token=hunter2"
    finally:
        listening.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def first_end(url: str, options: Options) -> Close:
    """How the first attempt ends."""
    client = WebSocketClient(url, options)
    events = client.events()
    async with client:
        async for event in events:
            if isinstance(event, Closed):
                return event.close
    raise AssertionError("the stream ended")


async def test_a_message_that_is_too_large_ends_the_link_with_1009(server: Server) -> None:
    """The limit holds for what arrives; the one at the limit passes."""
    client = WebSocketClient(server.url, Options(max_size=1000, reconnect_attempts=0))
    events, messages = client.events(), client.messages()
    async with client:
        link = await server.link()
        await link.send("x" * 1000)
        assert len((await anext(messages)).data) == 1000
        await link.send("x" * 1001)
        async for event in events:
            if isinstance(event, Closed):
                assert "1009" in str(event.close)
                break
        assert await server.closes.get() == 1009


async def test_a_compressed_bomb_is_not_unpacked(server: Server) -> None:
    """The limit is for the message, not for the bytes on the wire: 50 MB of zeros are 50 kB there."""
    assert len(zlib.compress(b"0" * 50_000_000, 1)) < 300_000
    seen: list[Message] = []
    client = WebSocketClient(
        server.url, Options(max_size=1_000_000, reconnect_attempts=0), on_message=lambda message: seen.append(message)
    )
    events = client.events()
    async with client:
        link = await server.link()
        sending = asyncio.create_task(link.send("0" * 50_000_000))
        async for event in events:
            if isinstance(event, Closed):
                break
        await asyncio.gather(sending, return_exceptions=True)
    assert seen == []


async def test_a_handshake_that_hangs_is_given_up() -> None:
    """Accepted, and then nothing."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(hang) as url:
        close = await first_end(url, Options(open_timeout=0.2))
    assert isinstance(close.error, ConnectError)
    assert str(close.error) == "no connection (TimeoutError)"


async def test_a_handshake_that_drips_is_given_up() -> None:
    """A byte now and then does not prolong the time-out."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with raw_server(drip) as url:
        close = await first_end(url, Options(open_timeout=0.3))
    assert isinstance(close.error, ConnectError)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n" + b"A: b\r\n" * 1000,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
    ],
    ids=["endless header", "endless body", "too many headers", "another protocol", "noise"],
)
async def test_an_answer_that_is_endless_or_no_handshake_is_given_up(start: bytes) -> None:
    """Before any time-out, and before it fills the memory."""
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(start)
        while sent < 100_000_000:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    async with raw_server(flood) as url:
        close = await first_end(url, Options(open_timeout=30.0))
    assert isinstance(close.error, ConnectError)
    assert "hunter2" not in str(close.error)
    assert sent < 20_000_000


@pytest.mark.parametrize("location", ["http://[", "ftp://elsewhere/hunter2", "ws://127.0.0.1:9/?hunter2", "/again"])
async def test_a_redirect_to_nowhere_is_an_error_like_others(location: str) -> None:
    """Whatever it points to is neither followed for ever nor told to the log."""

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    async with raw_server(redirect) as url:
        close = await first_end(url, Options(open_timeout=20.0))
    assert not close.opened
    assert "hunter2" not in str(close.error)


async def test_a_reason_or_code_that_is_none_does_not_matter(server: Server) -> None:
    """A close without a code, and a link cut in the middle of a frame, are ends like others."""
    client = WebSocketClient(server.url, Options(reconnect_interval=0.01))
    events = client.events()
    codes: list[int] = []
    async with client:
        link = await server.link()
        link.transport.write(b"\x88\x00")  # a close frame without a body
        second = await server.link()
        second.transport.write(b"\x81\x05he")  # two of five bytes
        second.transport.close()
        await server.link()
        async for event in events:
            if isinstance(event, Closed):
                codes.append(event.close.code)
            if len(codes) == 2:
                break
    assert codes == [1005, 1006]
