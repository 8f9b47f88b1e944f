"""A small server of the OpenAI API that does what a test tells it, faults above all."""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import numpy as np
from aiohttp import web

from tests.providers.faults import Broken, Endless, Fault, Hang, Lie, Refusal

RATE = 24_000
SECONDS_PER_LETTER = 0.07
PIECE_S = 0.2


class Provider:
    """One running server. Its voice is a tone, by which it is known; its answers are what it was told.

    Args:
        name: as a model list names it.
        tone: Hz.
    """

    def __init__(self, name: str, tone: int) -> None:
        self.name = name
        self.tone = tone
        self.answer = "One two three four five six seven eight nine ten."
        self.tool_call: tuple[str, str] | None = None
        self.transcript = "What the caller said."
        self.base_url = ""
        self.asked: list[str] = []  # the endpoints of all requests
        self.spoke: list[str] = []  # the texts that it was to speak
        self.voices: list[str] = []  # and in which voice
        self.heard: list[int] = []  # bytes of the requests for a transcript
        self.delay = 0.0  # seconds before each answer
        self.arrived = asyncio.Event()  # a request is there
        self.fault: Fault | None = None  # what every request meets
        self.faults: dict[str, Fault] = {}  # what every request of an endpoint meets
        self._next: deque[Fault] = deque()

    def next(self, *faults: Fault) -> None:
        """What the next requests meet, one after the other."""
        self._next.extend(faults)

    def app(self) -> web.Application:
        """The three endpoints."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/audio/speech", self._speech)
        app.router.add_post("/v1/audio/transcriptions", self._transcription)
        return app

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        return await self._respond(request, "chat", "text/event-stream", [event for event in self._events()])

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        wanted = await request.json()
        text = wanted["input"]
        self.spoke.append(text)
        self.voices.append(wanted["voice"])
        seconds = SECONDS_PER_LETTER * sum(map(str.isalnum, text))
        samples = 8000 * np.sin(2 * np.pi * self.tone * np.arange(int(seconds * RATE)) / RATE)
        sound = samples.astype("<i2").tobytes()
        size = int(PIECE_S * RATE) * 2
        return await self._respond(
            request, "speech", "audio/pcm", [sound[at : at + size] for at in range(0, len(sound), size)]
        )

    async def _transcription(self, request: web.Request) -> web.StreamResponse:
        self.heard.append(len(await request.read()))
        whole = json.dumps({"text": self.transcript}).encode()
        return await self._respond(request, "transcription", "application/json", [whole[:10], whole[10:]])

    def _events(self) -> Iterator[bytes]:
        if self.tool_call is not None:
            name, arguments = self.tool_call
            function = {"name": name, "arguments": arguments}
            yield _event({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]})
            yield _event({}, "tool_calls")
        else:
            for number, word in enumerate(self.answer.split()):
                yield _event({"content": f" {word}" if number else word})
            yield _event({}, "stop")
        yield b"data: [DONE]\n\n"

    async def _respond(
        self, request: web.Request, endpoint: str, content_type: str, pieces: list[bytes]
    ) -> web.StreamResponse:
        self.asked.append(endpoint)
        self.arrived.set()
        fault = self._next.popleft() if self._next else self.fault or self.faults.get(endpoint)
        await asyncio.sleep(self.delay)
        match fault:
            case Hang():
                await asyncio.Event().wait()
            case Refusal(code, headers):
                return web.json_response({"error": {"message": "refused"}}, status=code, headers=dict(headers))
            case Lie(lie, content):
                return web.Response(body=content, headers={"Content-Type": lie})
            case Broken(after, _):
                pieces = pieces[:after]
        response = web.StreamResponse(headers={"Content-Type": content_type, "X-Request-Id": "req_1"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        # What never ends lacks the two pieces that say that it has ended.
        for piece in itertools.cycle(pieces[:-2]) if isinstance(fault, Endless) else pieces:
            await response.write(piece)
        match fault:
            case Broken(_, "stall"):
                await asyncio.Event().wait()
            case Broken(_, "cut"):
                await asyncio.sleep(0.05)  # what was written leaves before the connection breaks
                assert request.transport is not None
                request.transport.abort()
                return response
        await response.write_eof()
        return response


def _event(delta: dict[str, object], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@asynccontextmanager
async def provider_server(name: str, tone: int) -> AsyncIterator[Provider]:
    """A provider on a free port of this machine."""
    provider = Provider(name, tone)
    runner = web.AppRunner(provider.app(), handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield provider
    finally:
        await runner.cleanup()
