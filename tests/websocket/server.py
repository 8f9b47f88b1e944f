"""A real WebSocket server for tests, on a free port, whose links the test holds in its hands."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Refuse = Callable[[Request], tuple[int, Mapping[str, str]] | None]


class Server:
    """What it saw, and what it is to do.

    `links` are the accepted connections; `received` is what came on any of them; `requests` are all handshakes.
    `refuse` may answer a handshake with a status and headers. With `echo` each message is sent back.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.links: asyncio.Queue[ServerConnection] = asyncio.Queue()
        self.received: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.requests: list[Request] = []
        self.closes: asyncio.Queue[int | None] = asyncio.Queue()
        self.refuse: Refuse = lambda request: None
        self.echo = False

    @property
    def url(self) -> str:
        """Where it is."""
        return f"ws://127.0.0.1:{self.port}/"

    async def link(self) -> ServerConnection:
        """The next connection."""
        return await self.links.get()

    async def messages(self, count: int) -> list[str | bytes]:
        """The next messages."""
        return [await self.received.get() for _ in range(count)]

    async def handle(self, link: ServerConnection) -> None:
        """One connection."""
        self.links.put_nowait(link)
        try:
            async for message in link:
                self.received.put_nowait(message)
                if self.echo:
                    await link.send(message)
        except ConnectionClosed:
            pass
        finally:
            await link.wait_closed()
            self.closes.put_nowait(link.close_code)

    def process_request(self, link: ServerConnection, request: Request) -> Response | None:
        """One handshake."""
        self.requests.append(request)
        if (answer := self.refuse(request)) is None:
            return None
        response = link.respond(answer[0], "no\n")
        response.headers.update(dict(answer[1]))
        return response


@asynccontextmanager
async def running_server(port: int = 0, **options: Any) -> AsyncIterator[Server]:
    """A server, until the end of the block."""
    server = Server()
    given = {"ping_interval": None, "process_request": server.process_request, "close_timeout": 1, **options}
    async with serve(server.handle, "127.0.0.1", port, **given) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server
