"""Hibari: from text to samples, sentence by sentence."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import numpy as np
from hibari import Hibari
from hibari.voices import DEFAULT

from agent.dev.models.due_first import DueFirstThread
from agent.dev.models.samples import SPEAKING_RATE, Samples, silence
from agent.dev.models.spoken_text import Piece, is_pronounceable, split_for_speech
from agent.dev.models.time_stretch import change_speed
from agent.dev.models.voices import installed_voices

logger = logging.getLogger("agent.dev.models.speech")

MODEL_ID = "hibari"
# The model leads with 250-330 ms of noise below this amplitude, and trails with as much; "th" and "f" begin above it.
AUDIBLE = 0.003
KEPT_BEFORE_S = 0.010
KEPT_AFTER_S = 0.080
# What is sent for text without a sound, such as a lone emoji: a caller in a call needs some audio, not an error.
SILENCE_S = 0.2
# A word that no lexicon has loads the part of the model that guesses how to say one.
WARM_UP = "Warm up, 1 2 3, grnblf."


class HibariEngine:
    """Hibari's voices, used by one thread: sentences of all callers are synthesised in the order in which they are due.

    The first one is due at once, a further one when all before it have been heard.

    Args:
        threads: of ONNX Runtime for one sentence. Browser, media server and worker share the cores of a laptop,
            and one thread speaks 100 times as fast as it is listened to.
        seed: makes the noise in the voice, and with it every sample, the same each time; None lets it differ.
        waited: told for each sentence how many seconds it waited for its turn.
    """

    def __init__(self, threads: int, seed: int | None = None, waited: Callable[[float], None] = lambda _: None) -> None:
        self._threads = threads
        self._seed = seed
        self._thread = DueFirstThread("hibari", waited)
        self._paths: dict[str, Path] = installed_voices()
        self._voices: dict[str, Hibari] = {}

    @property
    def voices(self) -> frozenset[str]:
        """The names of the voices that are on this machine."""
        return frozenset(self._paths)

    async def load(self) -> None:
        """Load the default voice and speak once, so that the first caller does not wait."""
        started = time.monotonic()
        await self._run(0.0, Piece(WARM_UP, 0.0), DEFAULT, 1.0)
        logger.info("loaded", extra={"model": MODEL_ID, "seconds": round(time.monotonic() - started, 2)})

    def close(self) -> None:
        """Let the sentence that is being synthesised finish; cancel those that wait."""
        self._thread.close()

    async def speak(self, text: str, voice: str, speed: float) -> AsyncGenerator[Samples, None]:
        """Yield 24 kHz mono samples as each sentence is ready; closing the iterator ends the synthesis.

        Args:
            text: what to say.
            voice: one of `voices`.
            speed: 1 is the voice's own pace; 0.25 to 4.
        """
        clock = asyncio.get_running_loop().time
        pause, silent, due = 0.0, True, clock()
        for piece in split_for_speech(text):
            samples = await self._run(due, piece, voice, speed)
            if not len(samples):
                continue
            if pause:
                yield silence(pause / speed)
            due = (clock() if silent else due + pause / speed) + len(samples) / SPEAKING_RATE
            yield samples
            pause, silent = piece.pause, False
        if silent:
            yield silence(SILENCE_S)

    async def _run(self, due: float, piece: Piece, voice: str, speed: float) -> Samples:
        return await self._thread.run(due, self._synthesise, piece.text, voice, speed)

    def _synthesise(self, text: str, voice: str, speed: float) -> Samples:
        if voice not in self._voices:
            self._voices[voice] = Hibari(voice=voice, model=str(self._paths[voice]), threads=self._threads)
        model = self._voices[voice]
        spoken = [model.from_phonemes(p, seed=self._seed) for p in model.phonemize(text) if is_pronounceable(p)]
        if not spoken:
            return np.zeros(0, np.float32)
        samples = trim_silence(np.concatenate(spoken))
        # The model's own speed input is uneven (1.25 gives 1.11, 1.5 gives 1.67) and stops at 1.8.
        return samples if speed == 1.0 else change_speed(samples, speed)


def trim_silence(samples: Samples) -> Samples:
    """The speech with 10 ms before it and 80 ms after it; nothing when none of it is audible."""
    audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
    if not len(audible):
        return samples[:0]
    first = max(0, int(audible[0]) - int(KEPT_BEFORE_S * SPEAKING_RATE))
    return samples[first : int(audible[-1]) + int(KEPT_AFTER_S * SPEAKING_RATE)]
