"""The recognisers of a call as one: when one fails, the next one gets the same audio.

Each utterance is one request, to recognisers that could take a stream too: what was heard is here until it is words.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from livekit.agents import NOT_GIVEN, APIConnectionError, APIConnectOptions, NotGivenOr, stt
from livekit.agents.utils import AudioBuffer
from livekit.agents.utils.audio import calculate_audio_duration

from agent.models.failure import ModelFailed
from agent.models.patience import Patience
from agent.models.reports import ModelReports
from agent.models.stage import Candidate, Stage, StageLimits
from agent.turns import readable

# A long utterance takes longer: so much is added to the patience for each second of audio.
PATIENCE_PER_SECOND = 0.2
# Nobody says more; what holds more is no transcript.
MOST_CHARACTERS_PER_SECOND = 100
SPARE_CHARACTERS = 500


class FallbackSTT(stt.STT[Any]):
    """Several recognisers of whole utterances in order; see `Stage`.

    Args:
        candidates: the recognisers; closed by `aclose`.
        limits: when to give one up; its patience is that for a whole transcription.
        reports: told of what happens.
    """

    def __init__(
        self, candidates: Sequence[Candidate[stt.STT[Any]]], limits: StageLimits, reports: ModelReports
    ) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        self.stage = Stage("stt", candidates, limits, reports)

    @property
    def model(self) -> str:
        """The model that heard last."""
        return self.stage.latest.model

    @property
    def provider(self) -> str:
        """The provider that heard last."""
        return self.stage.latest.provider

    def prewarm(self) -> None:
        """Connect to the preferred one before it is needed."""
        self.stage.models[0].prewarm()

    async def aclose(self) -> None:
        """Close the recognisers."""
        for recognizer in self.stage.models:
            await recognizer.aclose()

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        seconds = calculate_audio_duration(buffer)

        async def hear(recognizer: stt.STT[Any], patience: Patience) -> stt.SpeechEvent:
            limit = patience.first + PATIENCE_PER_SECOND * seconds
            options = APIConnectOptions(max_retry=0, timeout=limit)
            async with asyncio.timeout(limit):
                event = await recognizer.recognize(buffer, language=language, conn_options=options)
            for heard in event.alternatives:
                if not _is_transcript(heard.text, seconds):
                    raise ModelFailed("nonsense")
                heard.text = readable(heard.text)
            return event

        try:
            return await self.stage.run(hear)
        except ModelFailed as failed:
            raise APIConnectionError(f"no recogniser is left ({failed.why})", retryable=False) from None


def _is_transcript(text: object, seconds: float) -> bool:
    return isinstance(text, str) and len(text) <= SPARE_CHARACTERS + MOST_CHARACTERS_PER_SECOND * seconds
