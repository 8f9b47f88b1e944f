"""A TCP proxy that breaks connections on purpose: what a network does to a client, on one machine and on demand.

    async with TcpProxy(port_of_the_server) as proxy:
        connect to proxy.port
        proxy.stall()            # half-open: nobody says a word, nothing is closed
        proxy.resume()
        proxy.swallow()          # half-open, too, but what is sent seems to arrive
        proxy.delay(0.2)         # latency, each way
        proxy.slow(10_000)       # bytes a second, each way
        proxy.drop()             # every connection is reset (RST), new ones are served
        proxy.reset_after_bytes(0, Way.TO_CLIENT)   # the server has read and stored; its answer never arrives
        proxy.refuse()           # new connections are reset at once

A fault names the way that it is for, both without one. It holds for all connections and those that come; `drop` and
`reset_after_bytes` for those that are open. `faults` counts what really happened, not what was asked for.
"""

import asyncio
import socket
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

CHUNK = 16 * 1024
# SO_LINGER, on, zero seconds: close() sends RST and throws away what was not sent.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Way(StrEnum):
    """One direction of a connection."""

    TO_SERVER = "to server"
    TO_CLIENT = "to client"


BOTH = tuple(Way)


@dataclass
class Weather:
    """What one direction of the proxy does to what passes."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    swallowing: bool = False
    delay_s: float = 0.0
    bytes_per_second: float | None = None

    def __post_init__(self) -> None:
        self.open.set()


class ProxiedConnection:
    """One connection of a client, and the one to the server that belongs to it.

    Args:
        client, server: both sides, as asyncio's streams.
        weather: what each direction does.
        faults: where to count.
    """

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        weather: dict[Way, Weather],
        faults: Counter[str],
    ) -> None:
        self._readers = {Way.TO_SERVER: client[0], Way.TO_CLIENT: server[0]}
        self._writers = {Way.TO_SERVER: server[1], Way.TO_CLIENT: client[1]}
        self._weather = weather
        self._faults = faults
        self._reset_after: dict[Way, int] = {}
        self._gone = asyncio.Event()
        self.passed = dict.fromkeys(Way, 0)

    def reset_after_bytes(self, count: int, *ways: Way) -> None:
        """Let this many more bytes pass, each way, then reset; 0: the next byte is the one too many."""
        for way in ways or BOTH:
            self._reset_after[way] = count

    def drop(self) -> None:
        """Reset both sides."""
        for writer in self._writers.values():
            if not writer.transport.is_closing():
                sock: socket.socket = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            writer.transport.abort()
        self._gone.set()

    async def run(self) -> None:
        """Carry bytes both ways until both sides have ended, or the connection is reset."""
        queues = {way: asyncio.Queue[tuple[float, bytes]](64) for way in Way}
        readers = [asyncio.create_task(self._read(way, queues[way])) for way in Way]
        writers: asyncio.Future[Any] = asyncio.gather(*(self._write(way, queues[way]) for way in Way))
        gone: asyncio.Future[Any] = asyncio.create_task(self._gone.wait())
        try:
            await asyncio.wait([writers, gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            everything = [*readers, writers, gone]
            for task in everything:
                task.cancel()
            await asyncio.gather(*everything, return_exceptions=True)
            for writer in self._writers.values():
                writer.transport.abort()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _read(self, way: Way, queue: asyncio.Queue[tuple[float, bytes]]) -> None:
        weather, data = self._weather[way], b"-"
        while data:
            await self._wait_for_weather(weather)
            try:
                data = await self._readers[way].read(CHUNK)
            except OSError:
                data = b""
                self.drop()  # what one side resets, the other sees reset
            await self._wait_for_weather(weather)
            if weather.swallowing and data:
                self._faults["swallowed"] += 1
                continue
            if weather.delay_s:
                self._faults["delayed"] += 1
            await queue.put((asyncio.get_running_loop().time() + weather.delay_s, data))

    async def _write(self, way: Way, queue: asyncio.Queue[tuple[float, bytes]]) -> None:
        loop, writer = asyncio.get_running_loop(), self._writers[way]
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self._wait_for_weather(self._weather[way])
            if (room := self._reset_after.get(way)) is not None:
                if len(data) > room:
                    await self._pass(way, data[:room])
                    self._faults["reset after bytes"] += 1
                    self.drop()
                    return
                self._reset_after[way] = room - len(data)
            if not data:
                with suppress(OSError):
                    writer.write_eof()
                return
            await self._pass(way, data)

    async def _pass(self, way: Way, data: bytes) -> None:
        """Write, as fast as is allowed; when the other side is gone, this one is reset."""
        writer = self._writers[way]
        try:
            while data:
                rate = self._weather[way].bytes_per_second
                size = len(data) if rate is None else max(1, int(rate / 20))
                writer.write(data[:size])
                await writer.drain()
                self.passed[way] += len(data[:size])
                data = data[size:]
                if rate is not None:
                    self._faults["slowed"] += 1
                    await asyncio.sleep(size / rate)
        except OSError:
            self.drop()

    async def _wait_for_weather(self, weather: Weather) -> None:
        if not weather.open.is_set():
            self._faults["stalled"] += 1
            await weather.open.wait()


class TcpProxy:
    """A proxy on a free port of 127.0.0.1.

    Args:
        port: the server's port on 127.0.0.1; `target` may be set anew at any time, for connections to come.
        buffer: the size of the sockets' receive buffers in bytes; a small one lets a stalled sender notice sooner.
    """

    def __init__(self, port: int, *, buffer: int | None = None) -> None:
        self.target = port
        self.faults: Counter[str] = Counter()
        self.connections: list[ProxiedConnection] = []
        self.accepted = 0
        self._buffer = buffer
        self.weather = {way: Weather() for way in Way}
        self._refusing = False
        self._server: asyncio.Server | None = None
        self._carrying = 0
        self._changed = asyncio.Condition()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        listening = socket.socket()
        if self._buffer is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
        listening.bind(("127.0.0.1", 0))
        self._server = await asyncio.start_server(self._accept, sock=listening, limit=CHUNK)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.refuse()
        async with self._changed:
            while self._carrying:
                for connection in self.connections:
                    connection.drop()
                await self._changed.wait()
        await self._server.wait_closed()

    # Faults

    def drop(self) -> int:
        """Reset every open connection; returns how many there were."""
        count = len(self.connections)
        for connection in self.connections:
            connection.drop()
        self.faults["dropped"] += count
        return count

    def refuse(self, refusing: bool = True) -> None:
        """Reset new connections at once, or serve them again."""
        self._refusing = refusing

    def stall(self, *ways: Way) -> None:
        """Pass nothing and close nothing, until `resume`; what is sent waits, and is not acknowledged in the end."""
        for way in ways or BOTH:
            self.weather[way].open.clear()

    def swallow(self, *ways: Way) -> None:
        """Take what is sent, as if it had arrived, and lose it, until `resume`."""
        for way in ways or BOTH:
            self.weather[way].swallowing = True

    def delay(self, seconds: float, *ways: Way) -> None:
        """Let everything arrive this much later."""
        for way in ways or BOTH:
            self.weather[way].delay_s = seconds

    def slow(self, bytes_per_second: float | None, *ways: Way) -> None:
        """Let no more pass than this; None for no limit."""
        for way in ways or BOTH:
            self.weather[way].bytes_per_second = bytes_per_second

    def reset_after_bytes(self, count: int, *ways: Way) -> None:
        """Reset each open connection after this many further bytes; 0: when the next one wants to pass."""
        for connection in self.connections:
            connection.reset_after_bytes(count, *ways)

    def resume(self) -> None:
        """Fine weather: no stall, no loss, no delay, no limit, nobody refused."""
        for weather in self.weather.values():
            weather.open.set()
            weather.swallowing, weather.delay_s, weather.bytes_per_second = False, 0.0, None
        self._refusing = False

    async def wait_for_connections(self, count: int) -> None:
        """Wait until this many connections are open."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.connections) == count)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._carrying += 1
        try:
            if (server := await self._connect()) is not None:
                await self._carry(ProxiedConnection((reader, writer), server, self.weather, self.faults))
            else:
                sock: socket.socket = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                writer.transport.abort()
        finally:
            async with self._changed:
                self._carrying -= 1
                self._changed.notify_all()

    async def _carry(self, connection: ProxiedConnection) -> None:
        async with self._changed:
            self.connections.append(connection)
            self._changed.notify_all()
        try:
            await connection.run()
        finally:
            async with self._changed:
                self.connections.remove(connection)
                self._changed.notify_all()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection to the server; None when new ones are refused, or nobody is there."""
        if self._refusing:
            self.faults["refused"] += 1
            return None
        sock = socket.socket()
        try:
            sock.setblocking(False)
            if self._buffer is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.target))
            return await asyncio.open_connection(sock=sock, limit=CHUNK)
        except OSError:
            sock.close()
            return None
