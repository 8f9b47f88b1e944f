"""A hum, a cough or a door is no word; a word said alone is one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.dev.models.audio_decoding import decode_audio
from agent.dev.models.samples import HEARING_RATE, Samples
from agent.dev.models.transcription import MoonshineEngine
from plugins.turn_words import is_backchannel
from tests.support.recordings import SPOKEN, Recording

SOUNDS = sorted((Path(__file__).parents[1] / "audio" / "sounds").glob("*.wav"))
ALONE = [recording for recording in SPOKEN.values() if len(recording.transcript.split()) <= 2]
LEADS_S = (0.3, 0.5)
CUTS = range(0, 512, 64)  # a window of the detector begins anywhere in the sound
AFTER_S = 0.16


@pytest.fixture
async def engine() -> AsyncIterator[MoonshineEngine]:
    engine = MoonshineEngine()
    await engine.load()
    yield engine
    engine.close()


async def _words(engine: MoonshineEngine, samples: Samples) -> str:
    return " ".join([segment.text async for segment in engine.transcribe(samples)])


def _cut(path: Path) -> Iterator[Samples]:
    """A sound as it may be heard: with some silence before and after it, and cut at several places."""
    samples = decode_audio(path.read_bytes(), 60.0)
    audible = np.flatnonzero(np.abs(samples) > 0.03 * np.abs(samples).max())
    sound = samples[audible[0] : audible[-1]]
    for lead in LEADS_S:
        for cut in CUTS:
            room = np.random.default_rng(cut).normal(0, 0.0002, int((lead + AFTER_S) * HEARING_RATE) + cut)
            before, after = np.split(room.astype(np.float32), [int(lead * HEARING_RATE) + cut])
            yield np.concatenate([before, sound, after])


async def test_sounds_are_no_words(engine: MoonshineEngine) -> None:
    """Few of them would be answered, or end what the agent says; without a bound it is a third."""
    heard = [await _words(engine, samples) for path in SOUNDS for samples in _cut(path)]
    taken_for_words = [text for text in heard if text and not is_backchannel(text)]
    assert len(heard) == 128
    assert len(taken_for_words) <= 20, taken_for_words


@pytest.mark.parametrize("recording", ALONE, ids=lambda recording: recording.name)
async def test_a_lone_word_is_written(engine: MoonshineEngine, recording: Recording) -> None:
    """With little silence around it, as it is transcribed in a call."""
    assert recording.speech is not None
    samples = decode_audio(recording.path.read_bytes(), 60.0)
    for around in (0.1, 0.2):
        first, last = recording.speech.start - around, recording.speech.end + around
        assert await _words(engine, samples[max(0, int(first * HEARING_RATE)) : int(last * HEARING_RATE)])
