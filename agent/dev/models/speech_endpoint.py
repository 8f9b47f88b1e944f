"""`POST /v1/audio/speech`: text in, audio out while it is being made."""

import base64
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from agent.dev.models.audio_encoding import AudioFormat, new_encoder
from agent.dev.models.capacity import Capacity
from agent.dev.models.errors import ApiError, unknown_model
from agent.dev.models.requests import read_json
from agent.dev.models.server_sent_events import EventStream
from agent.dev.models.speech import MODEL_ID, HibariEngine
from agent.dev.models.voices import resolve_voice

MAX_CHARACTERS = 4096
CONTENT_TYPES: dict[AudioFormat, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


class CustomVoice(BaseModel):
    """A voice given as an object."""

    id: str


class SpeechRequest(BaseModel):
    """The members of a request that matter here; others are allowed and do nothing (`instructions`)."""

    model_config = ConfigDict(strict=True, frozen=True)

    model: str
    input: Annotated[str, Field(max_length=MAX_CHARACTERS)]
    voice: str | CustomVoice
    response_format: AudioFormat = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4.0)] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"


class SpeechEndpoint:
    """Serves speech.

    Args:
        engine: the model.
        capacity: how many requests it takes on.
    """

    def __init__(self, engine: HibariEngine, capacity: Capacity) -> None:
        self._engine = engine
        self._capacity = capacity

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answer with audio, or with audio in events when `stream_format` is `sse`."""
        with self._capacity.place():
            wanted = await read_json(request, SpeechRequest)
            if wanted.model != MODEL_ID:
                raise unknown_model(wanted.model, MODEL_ID)
            if not wanted.input.strip():
                raise ApiError("input: there is nothing to say", param="input", code="empty_input")
            name = wanted.voice if isinstance(wanted.voice, str) else wanted.voice.id
            voice = resolve_voice(name, self._engine.voices)
            async with aclosing(self._encoded(wanted, voice)) as chunks:
                if wanted.stream_format == "sse":
                    return await _send_events(request, chunks, len(wanted.input.split()))
                return await _send_audio(request, chunks, CONTENT_TYPES[wanted.response_format])

    async def _encoded(self, wanted: SpeechRequest, voice: str) -> AsyncGenerator[bytes, None]:
        encoder = new_encoder(wanted.response_format)
        async with aclosing(self._engine.speak(wanted.input, voice, wanted.speed)) as speech:
            async for samples in speech:
                if chunk := encoder.encode(samples):
                    yield chunk
        if chunk := encoder.finish():
            yield chunk


async def _send_audio(request: web.Request, chunks: AsyncIterator[bytes], content_type: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-store"})
    response.enable_chunked_encoding()
    # Prepared with the first audio: what fails before can still be answered with an error.
    async for chunk in chunks:
        if not response.prepared:
            await response.prepare(request)
        await response.write(chunk)
    await response.write_eof()
    return response


async def _send_events(request: web.Request, chunks: AsyncIterator[bytes], words: int) -> web.StreamResponse:
    """Usage counts words: the model has no tokens."""
    async with EventStream(request) as events:
        async for chunk in chunks:
            await events.send({"type": "speech.audio.delta", "audio": base64.b64encode(chunk).decode()})
        usage = {"input_tokens": words, "output_tokens": 0, "total_tokens": words}
        await events.send({"type": "speech.audio.done", "usage": usage})
    return events.response
