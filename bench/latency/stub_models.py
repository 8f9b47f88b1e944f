"""An OpenAI-compatible server whose models take a fixed time, to show what everything around them takes.

Run: `python -m bench.latency.stub_models PORT`. Speech to text 150 ms after the whole request has come, the first
token of the language model 300 ms after it, the first sample of speech 150 ms after it.
"""

import asyncio
import json
import sys
import time
from typing import Any

import numpy as np
from aiohttp import web

STT_S, LLM_S, TTS_S = 0.150, 0.300, 0.150
HEARD = "What will the weather be like tomorrow?"
ANSWER = "It will be sunny and warm."
SPEECH_RATE = 24_000
_SHORTEST_SPEECH_S = 0.8
# About the pace of a person, so that nobody takes a long sentence for cut short.
_CHARACTER_S = 0.06
_PITCH_HZ = 180.0


def create_stub_app() -> web.Application:
    """The server, not yet running."""
    app = web.Application(client_max_size=50_000_000)
    app.router.add_get("/healthz", _health)
    app.router.add_post("/v1/audio/transcriptions", _transcribe)
    app.router.add_post("/v1/chat/completions", _complete)
    app.router.add_post("/v1/audio/speech", _speak)
    return app


def speech(text: str) -> bytes:
    """What a text sounds like: a voice-like tone that is loud from its first sample, 16 bit at 24 kHz."""
    at = np.arange(int(max(_SHORTEST_SPEECH_S, len(text) * _CHARACTER_S) * SPEECH_RATE)) / SPEECH_RATE
    tone = sum(np.cos(2 * np.pi * _PITCH_HZ * harmonic * at) / harmonic for harmonic in range(1, 6))
    return (np.asarray(tone) * 4_000).astype("<i2").tobytes()


async def _health(_: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _transcribe(request: web.Request) -> web.Response:
    await request.post()
    await asyncio.sleep(STT_S)
    return web.json_response({"text": HEARD})


async def _complete(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    await asyncio.sleep(LLM_S)
    if not asked.get("stream"):
        message = {"role": "assistant", "content": ANSWER}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response(_head("chat.completion") | {"choices": [choice]})
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for word in ANSWER.split(" "):
        delta = {"role": "assistant", "content": f"{word} "}
        await response.write(_event({"index": 0, "delta": delta, "finish_reason": None}))
    await response.write(_event({"index": 0, "delta": {}, "finish_reason": "stop"}))
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


async def _speak(request: web.Request) -> web.Response:
    asked = await request.json()
    if asked.get("response_format") != "pcm":
        error = {"message": "this server speaks pcm only", "type": "invalid_request_error", "param": "response_format"}
        return web.json_response({"error": error | {"code": None}}, status=400)
    await asyncio.sleep(TTS_S)
    return web.Response(body=speech(asked["input"]), content_type="audio/pcm")


def _head(kind: str) -> dict[str, Any]:
    return {"id": "stub", "object": kind, "created": int(time.time()), "model": "stub"}


def _event(choice: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(_head("chat.completion.chunk") | {"choices": [choice]}).encode() + b"\n\n"


if __name__ == "__main__":
    web.run_app(create_stub_app(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
