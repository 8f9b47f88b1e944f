"""A provider in front of the local models, in a process of its own that a test may kill.

It passes requests on and answers slowly, as a model far away does, so that there is a middle to kill it in.

    python -m tests.support.front PORT UPSTREAM
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 60.0
WAIT_S = 60.0
# A word, or a fifth of a second of sound, and how long it takes to come.
SOUND_PIECE = 9600
PAUSE_S = {"chat": 0.15, "speech": 0.1, "transcription": 0.0}
ENDPOINTS = {"/v1/chat/completions": "chat", "/v1/audio/speech": "speech", "/v1/audio/transcriptions": "transcription"}


class Front:
    """The running process; made by `front`.

    Args:
        port: where it listens.
        upstream: the base of the OpenAI API behind it.
    """

    def __init__(self, port: int, upstream: str) -> None:
        self._command = (sys.executable, "-m", "tests.support.front", str(port), upstream)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.log: list[str] = []  # `chat 3`: the third piece of an answer has left, since the last start

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        self.log.clear()
        self._process = await asyncio.create_subprocess_exec(*self._command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        self._reader = asyncio.create_task(self._read(self._process))
        await self.until("ready", START_TIMEOUT_S)

    async def until(self, line: str, timeout: float = WAIT_S) -> None:
        """Wait until it has said this."""
        async with asyncio.timeout(timeout):
            while line not in self.log:
                self._news.clear()
                await self._news.wait()

    async def kill(self) -> None:
        """End it with SIGKILL, as if its machine had died."""
        if self._process is not None and self._reader is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()
            await self._reader
            self._process = None

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.log.append(line.decode().strip())
            self._news.set()


def reserve_port() -> socket.socket:
    """A port of this machine that nobody else gets while this socket is open; the server may listen on it."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


@asynccontextmanager
async def front(port: int, upstream: str) -> AsyncIterator[Front]:
    """A started front; it is gone at the end."""
    running = Front(port, upstream)
    await running.start()
    try:
        yield running
    finally:
        await running.kill()


async def _pass_on(request: web.Request) -> web.StreamResponse:
    endpoint = ENDPOINTS[request.path]
    url = f"{request.app[UPSTREAM]}{request.path.removeprefix('/v1')}"
    headers = {name: request.headers[name] for name in ("Content-Type", "Authorization") if name in request.headers}
    async with aiohttp.ClientSession() as http, http.post(url, data=await request.read(), headers=headers) as answer:
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.headers["Content-Type"]})
        response.headers["X-Request-Id"] = answer.headers.get("X-Request-Id", "req_1")
        response.enable_chunked_encoding()
        await response.prepare(request)
        number = 0
        async for piece in _pieces(endpoint, answer.content):
            await response.write(piece)
            number += 1
            print(endpoint, number, flush=True)  # noqa: T201  # what the test waits for
            await asyncio.sleep(PAUSE_S[endpoint])
        await response.write_eof()
        return response


async def _pieces(endpoint: str, content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    if endpoint == "speech":
        while piece := await _up_to(content, SOUND_PIECE):
            yield piece
    elif endpoint == "chat":
        while event := await content.readline():
            yield event + await content.readline()
    else:
        yield await content.read()


async def _up_to(content: aiohttp.StreamReader, size: int) -> bytes:
    try:
        return await content.readexactly(size)
    except asyncio.IncompleteReadError as error:
        return error.partial


UPSTREAM = web.AppKey("upstream", str)


async def _serve(port: int, upstream: str) -> None:
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app[UPSTREAM] = upstream
    for path in ENDPOINTS:
        app.router.add_post(path, _pass_on)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    print("ready", flush=True)  # noqa: T201  # what the test waits for
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2]))
