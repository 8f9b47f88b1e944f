"""A real HTTP server for tools: answers well, slowly, endlessly, with redirects, or not at all, and keeps what came."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

MEGABYTE = b"x" * 1_000_000


@dataclass
class Received:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class ToolServer:
    """Where the server is, and what it received."""

    host: str
    port: int = 0
    received: list[Received] = field(default_factory=list)
    sent: int = 0
    tokens: int = 0
    failures: int = 0
    accepted: str = "token-1"
    release: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str, host: str | None = None) -> str:
        """The address of a path, at this address or under a name."""
        return f"http://{host or self.host}:{self.port}{path}"

    async def note(self, request: web.Request) -> Received:
        """Keep a request."""
        body = await request.json() if request.content_type == "application/json" else (await request.text() or None)
        received = Received(request.method, request.path, dict(request.query), dict(request.headers), body)
        self.received.append(received)
        self.arrived.set()
        return received

    async def weather(self, request: web.Request) -> web.Response:
        """An answer of JSON; `?close` ends the connection after it."""
        await self.note(request)
        response = web.json_response({"city": request.query.get("city", ""), "temperature": 21})
        if "close" in request.query:
            response.force_close()
        return response

    async def echo(self, request: web.Request) -> web.Response:
        """The request, headers and all; `?status` says with which status."""
        got = await self.note(request)
        return web.json_response(
            {"method": got.method, "path": request.raw_path, "headers": got.headers, "body": got.body},
            status=int(request.query.get("status", "200")),
        )

    async def held(self, request: web.Request) -> web.Response:
        """An answer that comes when the test says so."""
        await self.note(request)
        await self.release.wait()
        return web.json_response({"done": True})

    async def large(self, request: web.Request) -> web.StreamResponse:
        """200 MB, without saying so before; `?length` says so, `?gzip` packs them into 200 kB."""
        await self.note(request)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        if "length" in request.query:
            response.content_length = 200 * len(MEGABYTE)
        part = MEGABYTE
        if "gzip" in request.query:
            response.headers["Content-Encoding"] = "gzip"
            packer = zlib.compressobj(wbits=31)
            part = b"".join(packer.compress(MEGABYTE) for _ in range(200)) + packer.flush()
        await response.prepare(request)
        for _ in range(1 if "gzip" in request.query else 200):
            await response.write(part)
            self.sent += len(part)
        return response

    async def redirect(self, request: web.Request) -> web.Response:
        """To wherever the query says."""
        await self.note(request)
        status = int(request.query.get("status", "302"))
        return web.Response(status=status, headers={"Location": request.query["to"]})

    async def broken(self, request: web.Request) -> web.Response:
        """The connection is cut instead of an answer, so many times; then there is one."""
        await self.note(request)
        if self.failures:
            self.failures -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"ok": True})

    async def status(self, request: web.Request) -> web.Response:
        """An answer with a status, so many times; then one that is well."""
        await self.note(request)
        if self.failures:
            self.failures -= 1
            return web.Response(status=int(request.match_info["code"]), text="not now")
        return web.json_response({"ok": True})

    async def token(self, request: web.Request) -> web.Response:
        """The token endpoint of OAuth."""
        await self.note(request)
        self.tokens += 1
        return web.json_response({"access_token": f"token-{self.tokens}", "expires_in": 3600})

    async def guarded(self, request: web.Request) -> web.Response:
        """What needs the token of the moment."""
        await self.note(request)
        if request.headers.get("Authorization") != f"Bearer {self.accepted}":
            return web.Response(status=401)
        return web.json_response({"ok": True})

    async def picture(self, request: web.Request) -> web.Response:
        """No text at all."""
        await self.note(request)
        return web.Response(body=b"\x89PNG\r\n\x1a\n" + bytes(100), content_type="image/png")


@asynccontextmanager
async def tool_server(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[ToolServer]:
    """A server that listens until the end."""
    server = ToolServer(host)
    app = web.Application()
    for path, handler in {
        "/weather": server.weather,
        "/held": server.held,
        "/large": server.large,
        "/redirect": server.redirect,
        "/broken": server.broken,
        "/status/{code}": server.status,
        "/token": server.token,
        "/guarded": server.guarded,
        "/picture": server.picture,
        "/echo{rest:.*}": server.echo,
    }.items():
        app.router.add_route("*", path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        server.release.set()
        await runner.cleanup()
