"""Moonshine: from samples to words."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import numpy as np

from agent.dev.models.drafts import Drafts
from agent.dev.models.due_first import DueFirstThread
from agent.dev.models.moonshine import Moonshine, weights
from agent.dev.models.samples import HEARING_RATE, Samples
from agent.dev.models.sentence_reader import SentenceReader
from agent.dev.models.speech_activity import WINDOW_S, cut_points, has_speech, speech_probabilities

logger = logging.getLogger("agent.dev.models.transcription")

MODEL_ID = "moonshine-tiny-en"
# Whoever has spoken for long expects to wait a little longer; so a question is not kept waiting by a recording. It is
# also how the patience of our own worker grows (`Patience`).
PATIENCE_PER_S = 0.2
# A hum, a cough or a door becomes a word or two, but an unlikely one: the first token of all utterances of one or two
# words in `tests/audio` is at least e^-0.85 likely, with noise at 10 dB that of five in six at least e^-1.2; most of
# the others are misheard. Of sounds, cut at several places, a third becomes words without this bound, a ninth with it.
NO_WORD = -1.2
NO_WORD_WORDS = 2


@dataclass(frozen=True, slots=True)
class Segment:
    """Words and when they were said, in seconds from the start of the recording."""

    start: float
    end: float
    text: str


class MoonshineEngine:
    """One Moonshine model: one utterance at a time, and beside it one sentence that is read, bound what it takes.

    Args:
        waited: told for each piece how many seconds it waited for its turn.
    """

    def __init__(self, waited: Callable[[float], None] = lambda _: None) -> None:
        self._thread = DueFirstThread("moonshine", waited)
        self._reading = DueFirstThread("sentences")
        self._model: Moonshine | None = None
        self._reader: SentenceReader | None = None
        self._drafts = Drafts()

    async def load(self) -> None:
        """Load the weights and transcribe once, so that the first caller does not wait."""
        await self._thread.run(0.0, self._load)

    def close(self) -> None:
        """Let the piece that is being transcribed finish, cancel those that wait, and free the model."""
        self._thread.close()
        self._reading.close()
        self._model = self._reader = None

    async def transcribe(self, samples: Samples) -> AsyncGenerator[Segment, None]:
        """Yield what was said piece by piece; nothing where nobody speaks.

        Args:
            samples: 16 kHz mono between -1 and 1.
        """
        due = asyncio.get_running_loop().time() + PATIENCE_PER_S * len(samples) / HEARING_RATE
        probabilities = await asyncio.to_thread(speech_probabilities, samples)
        cuts = cut_points(probabilities)
        window = int(WINDOW_S * HEARING_RATE)
        for first, last in zip([0, *cuts], [*cuts, len(probabilities)], strict=True):
            if has_speech(probabilities[first:last]):
                start, end = first * window, min(last * window, len(samples))
                # A job per piece: short utterances of other callers get their turn between them.
                text = await self._thread.run(due, self._transcribe, samples[start:end])
                if text:
                    yield Segment(start / HEARING_RATE, end / HEARING_RATE, text)

    async def unfinished(self, text: str) -> float:
        """How unfinished a text reads; see `SentenceReader`. It takes 8 ms, and waits for no recording."""
        if self._reader is None:
            raise RuntimeError("the model is not loaded")
        return await self._reading.run(0.0, self._reader.unfinished, text)

    def _load(self) -> None:
        started = time.monotonic()
        self._model = Moonshine(weights())
        self._model.write(np.zeros(HEARING_RATE, np.float32))
        self._reader = SentenceReader(self._model)
        logger.info("loaded", extra={"model": MODEL_ID, "seconds": round(time.monotonic() - started, 2)})

    def _transcribe(self, samples: Samples) -> str:
        if self._model is None:
            raise RuntimeError("the model is not loaded")
        written = self._model.write(samples, self._drafts.of(samples))
        self._drafts.wrote(samples, written.tokens)
        text = self._model.text(written.tokens)
        return "" if written.first < NO_WORD and len(text.split()) <= NO_WORD_WORDS else text
