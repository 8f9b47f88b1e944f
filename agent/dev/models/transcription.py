"""Moonshine: from samples to words."""

import asyncio
import importlib.util
import logging
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

from moonshine_voice import ModelArch, Transcriber

from agent.dev.models.due_first import DueFirstThread
from agent.dev.models.samples import HEARING_RATE, Samples
from agent.dev.models.speech_activity import WINDOW_S, cut_points, has_speech, speech_probabilities

logger = logging.getLogger("agent.dev.models.transcription")

MODEL_ID = "moonshine-tiny-en"
# Whoever has spoken for long expects to wait a little longer; so a question is not kept waiting by a recording. It is
# also how the patience of our own worker grows (`Patience`).
PATIENCE_PER_S = 0.2
OPTIONS = {
    # Our VAD cuts the utterances; Moonshine's own would lose their first and last sounds.
    "vad_threshold": "0",
    # The default, 6.5, cuts off the end of quick speech ("…at 7:30 p" for "7:30 p.m. please.").
    "max_tokens_per_second": "13",
    # Neither is used, and the copy of the audio into Python costs as long as the transcription.
    "return_audio_data": "false",
    "identify_speakers": "false",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """Words and when they were said, in seconds from the start of the recording."""

    start: float
    end: float
    text: str


class MoonshineEngine:
    """One Moonshine model, used by one thread: two calls at once return each other's freed memory (tried).

    There is no option for the number of threads: its ONNX Runtime takes one per core. Pinning them to one core was
    measured: the CPU time is the same and an utterance takes 2.3 times as long (114 instead of 50 ms), so they are
    left free; one utterance at a time bounds what they take.

    Args:
        waited: told for each piece how many seconds it waited for its turn.
    """

    def __init__(self, waited: Callable[[float], None] = lambda _: None) -> None:
        self._thread = DueFirstThread("moonshine", waited)
        self._transcriber: Transcriber | None = None

    async def load(self) -> None:
        """Load the weights and transcribe once, so that the first caller does not wait."""
        await self._thread.run(0.0, self._load)

    def close(self) -> None:
        """Let the piece that is being transcribed finish, cancel those that wait, and free the model."""
        self._thread.close()
        if self._transcriber is not None:
            self._transcriber.close()
            self._transcriber = None

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

    def _load(self) -> None:
        started = time.monotonic()
        self._transcriber = Transcriber(model_path=_weights(), model_arch=ModelArch.TINY, options=OPTIONS)
        self._transcriber.transcribe_without_streaming([0.0] * HEARING_RATE, HEARING_RATE)
        logger.info("loaded", extra={"model": MODEL_ID, "seconds": round(time.monotonic() - started, 2)})

    def _transcribe(self, samples: Samples) -> str:
        if self._transcriber is None:
            raise RuntimeError("the model is not loaded")
        transcript = self._transcriber.transcribe_without_streaming(samples.tolist(), HEARING_RATE)
        return " ".join(line.text.strip() for line in transcript.lines).strip()


def _weights() -> Path:
    """The folder of the weights inside the wheel; wheels from 0.1 on have none."""
    spec = importlib.util.find_spec("moonshine_voice")
    if spec is None or spec.origin is None:
        raise RuntimeError("moonshine-voice is not installed")
    return Path(spec.origin).parent / "assets" / "tiny-en"
