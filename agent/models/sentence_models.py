"""Reads how finished a sentence is behind HTTP: the endpoint of the local models (`agent/dev/models`)."""

import asyncio
import logging

import openai
from pydantic import BaseModel, ConfigDict, ValidationError

logger = logging.getLogger("agent.models")

# The end of a turn waits no longer than `TurnLimits.patience_with_models`.
TIMEOUT_S = 0.3
# A model that failed is left alone for so long; without it the signs in the words decide.
REST_S = 5.0


class _SentenceEnd(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    unfinished: float


class RemoteSentenceModel:
    """See `plugins.sentence_model.SentenceModel`. A turn ends without it, too: of failures the log tells.

    Args:
        client: of the provider.
        model: its id there.
    """

    def __init__(self, client: openai.AsyncClient, model: str) -> None:
        self._client = client
        self._model = model
        self._rests_until = 0.0

    async def ask(self, text: str, timeout: float) -> float:
        """The same as `unfinished`, but for what fails.

        Args:
            text: the words.
            timeout: seconds that the answer may take.

        Raises:
            openai.OpenAIError: there is none.
            ValidationError: it is none of a sentence model.
        """
        body = {"model": self._model, "text": text}
        answer = await self._client.post("/sentence-end", cast_to=object, body=body, options={"timeout": timeout})
        return _SentenceEnd.model_validate(answer).unfinished

    async def unfinished(self, text: str) -> float | None:
        """See `SentenceModel`."""
        clock = asyncio.get_running_loop().time
        if clock() < self._rests_until:
            return None
        try:
            return await self.ask(text, TIMEOUT_S)
        except (openai.OpenAIError, ValidationError) as error:
            self._rests_until = clock() + REST_S
            logger.warning("the sentence model failed and rests", extra={"why": type(error).__name__})
            return None
