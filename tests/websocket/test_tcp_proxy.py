"""The proxy that breaks connections does what it says, both ways, and counts what it did."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.support.tcp_proxy import TcpProxy, Way

pytestmark = pytest.mark.timeout(30)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """A TCP server that hands over each connection."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[Streams] = asyncio.Queue()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrived.put_nowait((reader, writer))


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, TcpProxy]]:
    server = Server()
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    async with TcpProxy(listening.sockets[0].getsockname()[1]) as proxy:
        yield server, proxy
    listening.close()


async def connect(server: Server, proxy: TcpProxy) -> tuple[Streams, Streams]:
    """A client's connection and the server's end of it."""
    client = await asyncio.open_connection("127.0.0.1", proxy.port)
    return client, await server.arrived.get()


async def read_until_reset(reader: asyncio.StreamReader) -> bytes:
    """What arrives before the connection is reset."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := await reader.read(100):
            received += data
    return received


def close(*ends: Streams) -> None:
    for _, writer in ends:
        writer.transport.abort()


async def test_bytes_and_their_end_pass_both_ways(server: tuple[Server, TcpProxy]) -> None:
    """In fine weather it is as if there were no proxy, a half-close included."""
    (client_in, client_out), (server_in, server_out) = ends = await connect(*server)
    payload = bytes(range(256)) * 4096
    client_out.write(payload)
    client_out.write_eof()
    assert await server_in.read(-1) == payload
    server_out.write(b"answer")
    server_out.write_eof()
    assert await client_in.read(-1) == b"answer"
    await server[1].wait_for_connections(0)
    close(*ends)


async def test_drop_resets_both_sides_and_serves_the_next(server: tuple[Server, TcpProxy]) -> None:
    """A reset is one: neither side sees an orderly end."""
    (client_in, _), (server_in, _) = ends = await connect(*server)
    assert server[1].drop() == 1
    for reader in (client_in, server_in):
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
    _, (next_in, _) = more = await connect(*server)
    more[0][1].write(b"x")
    assert await next_in.read(1) == b"x"
    assert server[1].faults["dropped"] == 1
    close(*ends, *more)


@pytest.mark.parametrize("way", Way)
async def test_a_stalled_way_is_silent_and_open_and_the_other_goes_on(
    server: tuple[Server, TcpProxy], way: Way
) -> None:
    """Half-open in one direction; what waited arrives after `resume`."""
    client, behind = ends = await connect(*server)
    stalled, fine = (client, behind) if way is Way.TO_SERVER else (behind, client)
    server[1].stall(way)
    stalled[1].write(b"late")
    fine[1].write(b"now")
    assert await stalled[0].read(3) == b"now"
    waiting = asyncio.create_task(fine[0].read(4))
    while not server[1].faults["stalled"]:
        await asyncio.sleep(0.01)
    assert not waiting.done()
    server[1].resume()
    assert await waiting == b"late"
    close(*ends)


async def test_what_is_swallowed_never_arrives(server: tuple[Server, TcpProxy]) -> None:
    """It seemed to be sent, and is lost for good."""
    (_, client_out), (server_in, _) = ends = await connect(*server)
    server[1].swallow(Way.TO_SERVER)
    client_out.write(b"lost")
    while not server[1].faults["swallowed"]:
        await asyncio.sleep(0.01)
    server[1].resume()
    client_out.write(b"kept")
    assert await server_in.read(4) == b"kept"
    close(*ends)


async def test_a_delay_holds_back_without_changing_the_order(server: tuple[Server, TcpProxy]) -> None:
    """Latency, not a lower rate: three messages a delay apart in sum would take three times as long."""
    (_, client_out), (server_in, _) = ends = await connect(*server)
    server[1].delay(0.2, Way.TO_SERVER)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for part in (b"a", b"b", b"c"):
        client_out.write(part)
        await client_out.drain()
    assert await server_in.readexactly(3) == b"abc"
    assert loop.time() - began >= 0.2
    close(*ends)


async def test_a_slow_way_takes_its_time(server: tuple[Server, TcpProxy]) -> None:
    """No more bytes a second than asked for."""
    (_, client_out), (server_in, _) = ends = await connect(*server)
    server[1].slow(20_000, Way.TO_SERVER)
    loop = asyncio.get_running_loop()
    began = loop.time()
    client_out.write(b"x" * 10_000)
    await server_in.readexactly(10_000)
    assert loop.time() - began >= 0.4
    assert server[1].faults["slowed"] > 0
    close(*ends)


@pytest.mark.parametrize("way", Way)
async def test_a_reset_after_bytes_cuts_between_two_of_them(server: tuple[Server, TcpProxy], way: Way) -> None:
    """So many bytes pass and not one more: a message is cut in the middle, or an answer never leaves."""
    client, behind = ends = await connect(*server)
    sender, receiver = (client, behind) if way is Way.TO_SERVER else (behind, client)
    server[1].reset_after_bytes(3, way)
    sender[1].write(b"abcdef")
    with pytest.raises(ConnectionResetError):
        await sender[0].read(1)
    await server[1].wait_for_connections(0)
    assert server[1].faults["reset after bytes"] == 1
    # A reset may overtake what the kernel still held.
    assert b"abc".startswith(await read_until_reset(receiver[0]))
    close(*ends)


async def test_refused_connections_are_reset_and_counted(server: tuple[Server, TcpProxy]) -> None:
    """Nobody answers until `resume`, and a server that is not there is the same."""
    server[1].refuse()
    reader, writer = await asyncio.open_connection("127.0.0.1", server[1].port)
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    assert server[1].faults["refused"] == 1
    writer.transport.abort()
    server[1].resume()
    close(*await connect(*server))
