"""`POST /v1/sentence-end`: words in, how unfinished they read out. OpenAI's API knows no such thing."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from agent.dev.models.capacity import Capacity
from agent.dev.models.errors import unknown_model
from agent.dev.models.requests import read_json
from agent.dev.models.transcription import MODEL_ID, MoonshineEngine


class SentenceRequest(BaseModel):
    """The body of a request: the words so far, of which the last sentence counts."""

    model_config = ConfigDict(frozen=True)

    model: str
    text: Annotated[str, Field(max_length=100_000)]


class SentenceEndpoint:
    """Serves what the recogniser's language model makes of a sentence.

    Args:
        engine: the model.
        capacity: how many requests it takes on.
    """

    def __init__(self, engine: MoonshineEngine, capacity: Capacity) -> None:
        self._engine = engine
        self._capacity = capacity

    async def post(self, request: web.Request) -> web.Response:
        """Answer with the number that `SentenceReader.unfinished` gives."""
        with self._capacity.place():
            wanted = await read_json(request, SentenceRequest)
            if wanted.model != MODEL_ID:
                raise unknown_model(wanted.model, MODEL_ID)
            unfinished = await self._engine.unfinished(wanted.text)
            return web.json_response({"object": "sentence_end", "model": MODEL_ID, "unfinished": round(unfinished, 3)})
