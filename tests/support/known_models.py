"""A server with the OpenAI API whose answers, and what they used, are known in advance."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

PROMPT_TOKENS, CACHED_TOKENS, COMPLETION_TOKENS = 1_000, 400, 50
SPEECH_S = 1.5
SPEECH_RATE = 24_000


@dataclass
class KnownModels:
    """The server: what it answers, and what it was asked.

    Attributes:
        base_url: with `/v1`.
        answers: what the language model says, one after the other, and the last one from then on. An answer that is a
            number is a status code of HTTP; None hangs.
        summary: what it answers whoever wants a call summed up, if that is to be something else.
        asked: the messages of each request to the language model.
    """

    base_url: str = ""
    answers: Sequence[str | int | None] = ("All is well.",)
    summary: str | None = None
    asked: list[list[dict[str, Any]]] = field(default_factory=list)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/chat/completions`, streamed."""
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append((await request.json())["messages"])
        if self.summary is not None and str(self.asked[-1][0]["content"]).startswith("You summarise a call"):
            answer = self.summary
        if isinstance(answer, int):
            return web.json_response({"error": {"message": "told to fail"}}, status=answer)
        if answer is None:
            await asyncio.sleep(3600)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        usage = {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": COMPLETION_TOKENS,
            "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
            "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
        }
        delta = {"index": 0, "delta": {"role": "assistant", "content": answer}, "finish_reason": None}
        for choices, used in (([delta], None), ([], usage)):
            chunk = {"id": "r1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
            await response.write(b"data: " + json.dumps({**chunk, "usage": used}).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response

    async def speech(self, request: web.Request) -> web.Response:
        """`POST /v1/audio/speech`: always as long, in silence."""
        await request.read()
        return web.Response(body=bytes(int(SPEECH_RATE * SPEECH_S) * 2), content_type="audio/pcm")

    async def transcription(self, request: web.Request) -> web.Response:
        """`POST /v1/audio/transcriptions`."""
        await request.read()
        return web.json_response({"text": "hello"})


@asynccontextmanager
async def known_models(*answers: str | int | None) -> AsyncIterator[KnownModels]:
    """A running server on a free port; see `KnownModels.answers`."""
    known = KnownModels(answers=answers or ("All is well.",))
    app = web.Application()
    app.router.add_post("/v1/chat/completions", known.chat)
    app.router.add_post("/v1/audio/speech", known.speech)
    app.router.add_post("/v1/audio/transcriptions", known.transcription)
    async with TestServer(app) as server:
        known.base_url = str(server.make_url("/v1"))
        yield known
