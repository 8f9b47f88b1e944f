"""`POST /v1/audio/transcriptions`: an audio file in, words out."""

import asyncio
from contextlib import aclosing
from typing import Annotated, Literal

from aiohttp import BodyPartReader, MultipartReader, web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from agent.dev.models import transcript_formats
from agent.dev.models.audio_decoding import AudioError, decode_audio
from agent.dev.models.capacity import Capacity
from agent.dev.models.errors import ApiError, unknown_model
from agent.dev.models.requests import body_timeout, invalid_value, too_large
from agent.dev.models.samples import HEARING_RATE, Samples
from agent.dev.models.server_sent_events import EventStream
from agent.dev.models.transcription import MODEL_ID, MoonshineEngine, Segment

MAX_FILE_BYTES = 25 * 1024 * 1024
MAX_FIELD_BYTES = 64 * 1024
MAX_PARTS = 64
MAX_SECONDS = 600.0


def _flag(value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0"):
        raise ValueError("must be true or false")
    return value.lower() in ("true", "1")


def _segments(value: str) -> str:
    if value != "segment":
        raise ValueError(f"{MODEL_ID} knows when each segment was said, not each word")
    return value


def _english(value: str) -> str:
    if value and value.lower().partition("-")[0] not in ("en", "english"):
        raise ValueError(f"{MODEL_ID} knows English only")
    return value


class TranscriptionFields(BaseModel):
    """The fields that matter here; others are allowed and do nothing (`prompt`, `temperature`)."""

    model_config = ConfigDict(frozen=True)

    model: str
    response_format: Literal["json", "text", "verbose_json", "srt", "vtt"] = "json"
    stream: Annotated[bool, BeforeValidator(_flag)] = False
    language: Annotated[str, BeforeValidator(_english)] = ""
    timestamp_granularities: Annotated[str, BeforeValidator(_segments), Field(alias="timestamp_granularities[]")] = (
        "segment"
    )


class TranscriptionEndpoint:
    """Serves transcriptions.

    Args:
        engine: the model.
        capacity: how many requests it takes on.
    """

    def __init__(self, engine: MoonshineEngine, capacity: Capacity) -> None:
        self._engine = engine
        self._capacity = capacity

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answer in the format asked for, or with events when `stream` is true."""
        with self._capacity.place():
            async with body_timeout():
                fields, data = await _read_form(request)
            if fields.model != MODEL_ID:
                raise unknown_model(fields.model, MODEL_ID)
            samples = await _decode(data)
            if fields.stream:
                return await self._stream(request, samples)
            async with aclosing(self._engine.transcribe(samples)) as transcription:
                segments = [segment async for segment in transcription]
            return _format(fields, segments, len(samples) / HEARING_RATE)

    async def _stream(self, request: web.Request, samples: Samples) -> web.StreamResponse:
        async with EventStream(request) as events, aclosing(self._engine.transcribe(samples)) as transcription:
            segments: list[Segment] = []
            async for segment in transcription:
                delta = segment.text if not segments else " " + segment.text
                segments.append(segment)
                await events.send({"type": "transcript.text.delta", "delta": delta})
            await events.send({"type": "transcript.text.done", "text": transcript_formats.joined(segments)})
        return events.response


def _format(fields: TranscriptionFields, segments: list[Segment], duration: float) -> web.Response:
    text = transcript_formats.joined(segments)
    match fields.response_format:
        case "json":
            return web.json_response({"text": text, "usage": {"type": "duration", "seconds": round(duration, 3)}})
        case "verbose_json":
            return web.json_response(transcript_formats.verbose(segments, duration))
        case "text":
            return web.Response(text=text + "\n")
        case "srt" | "vtt":
            webvtt = fields.response_format == "vtt"
            subtitles = transcript_formats.subtitles(segments, webvtt=webvtt)
            return web.Response(text=subtitles, content_type="text/vtt" if webvtt else "application/x-subrip")


async def _decode(data: bytes) -> Samples:
    try:
        return await asyncio.to_thread(decode_audio, data, MAX_SECONDS)
    except AudioError as error:
        raise ApiError(f"file: {error}", param="file", code="invalid_audio") from None


async def _read_form(request: web.Request) -> tuple[TranscriptionFields, bytes]:
    if request.content_type != "multipart/form-data":
        raise ApiError("The body must be multipart/form-data with a file.", code="invalid_form")
    if (request.content_length or 0) > MAX_FILE_BYTES + MAX_PARTS * MAX_FIELD_BYTES:
        raise too_large(MAX_FILE_BYTES)
    values: dict[str, str] = {}
    data: bytes | None = None
    try:
        reader = await request.multipart()
        for _ in range(MAX_PARTS):
            part = await reader.next()
            if part is None:
                break
            if isinstance(part, MultipartReader) or part.name is None:
                raise ApiError("Each part of the form needs a name.", code="invalid_form")
            if part.name == "file":
                data = await _read_part(part, MAX_FILE_BYTES)
            else:
                value = (await _read_part(part, MAX_FIELD_BYTES)).decode()
                # A list comes as several parts of the same name.
                values[part.name] = f"{values[part.name]},{value}" if part.name in values else value
        else:
            raise ApiError(f"The form has more than {MAX_PARTS} parts.", code="invalid_form")
    except ValueError:
        raise ApiError("The body is not a valid multipart form.", code="invalid_form") from None
    if data is None:
        raise ApiError("file: there is none in the form", param="file", code="missing_file")
    try:
        return TranscriptionFields.model_validate(values), data
    except ValidationError as error:
        raise invalid_value(error) from None


async def _read_part(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while not part.at_eof():
        data += await part.read_chunk(64 * 1024)
        if len(data) > limit:
            raise too_large(limit)
    return bytes(data)
