"""Servers of the Model Context Protocol as livekit-agents knows them, on our terms.

A program gets the environment that the profile names and nothing else (`mcp_launcher`), its error output is dropped,
since it may hold what people said. An HTTP server is reached under the same rules as a tool's own host.
"""

import asyncio
import ipaddress
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import mcp.types
from livekit.agents.llm.mcp import MCPServer, MCPToolResultContext
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from agent.tools import mcp_launcher
from agent.tools.hosts import AllowedHosts, allowed_hosts
from agent.tools.secrets import resolve
from agent.tools.spec import McpServerSpec
from agent.tools.url_template import host_of

CONNECT_TIMEOUT_S = 10.0
# A stream on which nothing has to come; calls have their own time-outs.
STREAM_TIMEOUT_S = 300.0


class StdioServer(MCPServer):
    """A program that speaks the protocol on its standard input and output."""

    def __init__(self, spec: McpServerSpec, environment: Mapping[str, str]) -> None:
        super().__init__(client_session_timeout_seconds=_longest(spec), tool_result_resolver=as_text)
        resolved = {
            name: resolve(value, environment, f"mcp server {spec.name!r}: env {name}")
            for name, value in spec.env.items()
        }
        self.secrets = frozenset(secret for value in resolved.values() for secret in value.secrets)
        names = ",".join(resolved)
        self._parameters = StdioServerParameters(
            command=sys.executable,
            args=["-I", mcp_launcher.__file__, str(os.getpid()), names, spec.command or "", *spec.args],
            env={name: value.text for name, value in resolved.items()},
            cwd=spec.cwd,
        )

    def client_streams(self) -> AbstractAsyncContextManager[Any]:
        """See `MCPServer`."""
        return self._start()

    @asynccontextmanager
    async def _start(self) -> AsyncIterator[Any]:
        with Path(os.devnull).open("w") as nowhere:  # noqa: ASYNC230 - the null device never waits
            async with stdio_client(self._parameters, errlog=nowhere) as streams:
                yield streams


class HttpServer(MCPServer):
    """A server behind an address (streamable HTTP)."""

    def __init__(self, spec: McpServerSpec, environment: Mapping[str, str], tls: ssl.SSLContext) -> None:
        super().__init__(client_session_timeout_seconds=_longest(spec), tool_result_resolver=as_text)
        self._url = spec.url or ""
        where = f"mcp server {spec.name!r}: header"
        resolved = {name: resolve(value, environment, f"{where} {name}") for name, value in spec.headers.items()}
        self.secrets = frozenset(secret for value in resolved.values() for secret in value.secrets)
        self._headers = {name: value.text for name, value in resolved.items()}
        self._allowed = allowed_hosts([host_of(self._url)], spec.allow_hosts)
        self._max_bytes = spec.max_bytes
        self._tls = tls

    def client_streams(self) -> AbstractAsyncContextManager[Any]:
        """See `MCPServer`."""
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Any]:
        transport = GuardedTransport(self._allowed, self._tls, self._max_bytes)
        timeout = httpx2.Timeout(CONNECT_TIMEOUT_S, read=STREAM_TIMEOUT_S)
        async with (
            httpx2.AsyncClient(transport=transport, headers=self._headers, timeout=timeout, trust_env=False) as client,
            streamable_http_client(url=self._url, http_client=client) as streams,
        ):
            yield streams


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends to permitted hosts and addresses alone, and reads no answer that is too long.

    The name is looked up here, each of its addresses is checked, and the connection goes to an address that was.

    Args:
        allowed: what may be reached.
        tls: how certificates are checked; they are those of the name.
        max_bytes: how long the answer to one request may be.
    """

    def __init__(self, allowed: AllowedHosts, tls: ssl.SSLContext, max_bytes: int) -> None:
        self._allowed = allowed
        self._max_bytes = max_bytes
        self._inner = httpx2.AsyncHTTPTransport(verify=tls, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See `AsyncBaseTransport`."""
        host = request.url.host
        if not self._allowed.permits_host(host):
            raise httpx2.ConnectError("the host is not listed", request=request)
        last: httpx2.ConnectError | None = None
        for address in await self._addresses(request):
            pinned = httpx2.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                response = await self._inner.handle_async_request(pinned)
            except httpx2.ConnectError as error:
                last = error
                continue
            if request.method == "POST" and isinstance(response.stream, httpx2.AsyncByteStream):
                response.stream = _Limited(response.stream, self._max_bytes)
            return response
        raise last or httpx2.ConnectError("the name has no address", request=request)

    async def aclose(self) -> None:
        """See `AsyncBaseTransport`."""
        await self._inner.aclose()

    async def _addresses(self, request: httpx2.Request) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(request.url.host, request.url.port or 443, type=socket.SOCK_STREAM)
        except OSError:
            raise httpx2.ConnectError("the name cannot be looked up", request=request) from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not all(self._allowed.permits_address(ipaddress.ip_address(address)) for address in addresses):
            raise httpx2.ConnectError("the address is not a public one, and is not listed in allow_hosts")
        return addresses


class _Limited(httpx2.AsyncByteStream):
    """A stream that breaks off when it gets too long."""

    def __init__(self, stream: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._stream = stream
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise httpx2.ReadError("the answer is too long")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def as_text(context: MCPToolResultContext) -> str:
    """What a tool gave back, in words; what is no text is named and left out."""
    parts = [_part(part) for part in context.result.content]
    structured: Any = context.result.structured_content
    if not parts and structured is not None:
        return str(structured)
    return "\n".join(parts)


def _part(part: mcp.types.ContentBlock) -> str:
    if isinstance(part, mcp.types.TextContent):
        return part.text
    if isinstance(part, mcp.types.EmbeddedResource) and isinstance(part.resource, mcp.types.TextResourceContents):
        return part.resource.text
    return f"({part.type})"


def _longest(spec: McpServerSpec) -> float:
    """A bound (seconds) for what has no time-out of its own; ours come first."""
    own = [options.timeout_s or 0.0 for options in (spec.tools or {}).values()]
    return max(spec.timeout_s, *own, 0.0) + 5.0
