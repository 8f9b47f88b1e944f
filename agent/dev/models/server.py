"""The HTTP server of the local models: routes, and the models' life from loading to freeing."""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus

from aiohttp import web

from agent.dev.models import responder, speech, transcription
from agent.dev.models.capacity import Capacity
from agent.dev.models.chat_endpoint import ChatEndpoint
from agent.dev.models.errors import ApiError, Handler, error_middleware, note_response
from agent.dev.models.measures import ModelMeasures
from agent.dev.models.sentence_endpoint import SentenceEndpoint
from agent.dev.models.speech_endpoint import SpeechEndpoint
from agent.dev.models.transcription_endpoint import TranscriptionEndpoint

logger = logging.getLogger("agent.dev.models")

# Running and waiting together. With so many at once the last one waited 1.8 s for its words and 0.7 s for its first
# sound (`python -m bench models`, two cores), well within the patience of a worker (STT_SECONDS and others).
MAX_TRANSCRIPTIONS = 16
MAX_SPEECHES = 32
MAX_COMPLETIONS = 128
# Each takes 8 ms.
MAX_SENTENCES = 32
# The API wants to know when a model was made: 2026-01-01, about when these were.
CREATED = 1_767_225_600


class LocalModels:
    """The models that have weights, and whether they are ready.

    Args:
        threads: of the speech model; see `HibariEngine`.
        measures: told how long pieces of work wait.
    """

    def __init__(self, threads: int, measures: ModelMeasures) -> None:
        self.moonshine = transcription.MoonshineEngine(partial(measures.waited, transcription.MODEL_ID))
        self.hibari = speech.HibariEngine(threads, waited=partial(measures.waited, speech.MODEL_ID))
        self._loading: asyncio.Task[None] | None = None

    async def lifecycle(self, app: web.Application) -> AsyncIterator[None]:
        """Load in the background while the server already answers; free at the end."""
        self._loading = asyncio.create_task(self._load(), name="load models")
        yield
        self._loading.cancel()
        # SystemExit of a failed load has ended the server already.
        await asyncio.gather(self._loading, return_exceptions=True)
        await asyncio.gather(asyncio.to_thread(self.moonshine.close), asyncio.to_thread(self.hibari.close))

    def require_ready(self) -> None:
        """Raise ApiError (503) while the models are not loaded."""
        if self._loading is None or not self._loading.done():
            raise ApiError(
                "The models are still loading.",
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                code="models_loading",
                retry_after=1,
            )

    async def _load(self) -> None:
        try:
            await asyncio.gather(self.moonshine.load(), self.hibari.load())
        except Exception as error:
            logger.exception("the models cannot be loaded")
            # A server without models serves nobody: this ends it, and its process with status 1.
            raise SystemExit(f"error: the local models cannot be loaded ({error}): try `make clean dev`") from error


def create_models_app(*, threads: int) -> web.Application:
    """The server of `/v1/models`, `/v1/audio/transcriptions`, `/v1/audio/speech`, `/v1/chat/completions`,
    `/v1/sentence-end`, `/healthz`, `/metrics`.

    Any `Authorization` is accepted: it listens on the loopback interface only.

    Args:
        threads: how many threads the speech model may use for one sentence.
    """
    measures = ModelMeasures(MODEL_IDS)
    models = LocalModels(threads, measures)
    hearing = Capacity(transcription.MODEL_ID, MAX_TRANSCRIPTIONS, "STT_MODELS", measures)
    hear = TranscriptionEndpoint(models.moonshine, hearing)
    speak = SpeechEndpoint(models.hibari, Capacity(speech.MODEL_ID, MAX_SPEECHES, "TTS_MODELS", measures))
    reading = Capacity(transcription.MODEL_ID, MAX_SENTENCES, "SENTENCE_MODEL", measures)
    read = SentenceEndpoint(models.moonshine, reading)
    think = ChatEndpoint(Capacity(responder.MODEL_ID, MAX_COMPLETIONS, "LLM_MODELS", measures))

    def when_ready(handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            models.require_ready()
            return await handler(request)

        return guarded

    async def health(request: web.Request) -> web.Response:
        models.require_ready()
        return web.json_response({"status": "ok"})

    app = web.Application(middlewares=[error_middleware])
    app.on_response_prepare.append(note_response)
    app.cleanup_ctx.append(models.lifecycle)
    app.router.add_get("/healthz", health)
    app.router.add_get("/metrics", measures.show)
    app.router.add_get("/v1/", about)
    app.router.add_get("/v1/models", list_models)
    app.router.add_get("/v1/models/{id}", get_model)
    app.router.add_post("/v1/audio/transcriptions", when_ready(hear.post))
    app.router.add_post("/v1/audio/speech", when_ready(speak.post))
    app.router.add_post("/v1/chat/completions", think.post)
    app.router.add_post("/v1/sentence-end", when_ready(read.post))
    return app


MODEL_IDS = (transcription.MODEL_ID, responder.MODEL_ID, speech.MODEL_ID)


async def about(request: web.Request) -> web.Response:
    """`GET /v1/`: what this is. livekit's openai plugin asks to have a connection open before the first words."""
    return web.json_response(
        {"object": "server", "description": "Local models behind the OpenAI API.", "models": MODEL_IDS}
    )


async def list_models(request: web.Request) -> web.Response:
    """`GET /v1/models`."""
    return web.json_response({"object": "list", "data": [_describe(model_id) for model_id in MODEL_IDS]})


async def get_model(request: web.Request) -> web.Response:
    """`GET /v1/models/{id}`; 404 for a model that is not here."""
    model_id = request.match_info["id"]
    if model_id not in MODEL_IDS:
        raise ApiError(
            f"The model {model_id[:100]!r} does not exist here; there are: {', '.join(MODEL_IDS)}.",
            status=HTTPStatus.NOT_FOUND,
            param="model",
            code="model_not_found",
        )
    return web.json_response(_describe(model_id))


def _describe(model_id: str) -> dict[str, str | int]:
    return {"id": model_id, "object": "model", "created": CREATED, "owned_by": "local"}
