"""Where nobody speaks nothing is heard: a word that the model invents would be a turn that nobody took."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from openai import OpenAI

from tests.models.audio_files import from_pcm, wav
from tests.support.recordings import RECORDINGS

RATE = 16_000
Samples = NDArray[np.float64]


def _time(seconds: float) -> Samples:
    return np.arange(int(seconds * RATE)) / RATE


def _noise(loudness: float) -> Samples:
    return np.random.default_rng(1).normal(0, loudness, 3 * RATE)


def _rumble() -> Samples:
    steps = np.cumsum(_noise(1.0))
    steps -= np.convolve(steps, np.full(801, 1 / 801), mode="same")
    loudest = float(np.abs(steps).max())
    return steps * (0.3 / loudest)


def _clicks() -> Samples:
    samples = np.zeros(3 * RATE)
    samples[:: RATE // 3] = 0.9
    return samples


SOUNDS: dict[str, Callable[[], Samples]] = {
    "nothing": lambda: np.zeros(3 * RATE),
    "a tenth of a second of nothing": lambda: np.zeros(RATE // 10),
    "one sample": lambda: np.zeros(1),
    "a constant": lambda: np.full(RATE, 0.5),
    "a quiet room": lambda: _noise(0.002),
    "a waterfall": lambda: _noise(0.3),
    "rumble": _rumble,
    "mains hum": lambda: 0.2 * np.sin(2 * np.pi * 50 * _time(3)) + 0.05 * np.sin(2 * np.pi * 150 * _time(3)),
    "a dialling tone": lambda: 0.5 * np.sin(2 * np.pi * 440 * _time(3)),
    "clicks": _clicks,
}


@pytest.mark.parametrize("sound", SOUNDS.values(), ids=SOUNDS.keys())
def test_a_sound_without_speech_gives_an_empty_transcript(client: OpenAI, sound: Callable[[], Samples]) -> None:
    """An empty text and no error, as it is no mistake to say nothing."""
    pcm = (np.clip(sound(), -1, 1) * 32767).astype("<i2").tobytes()
    heard = client.audio.transcriptions.create(
        model="moonshine-tiny-en", file=("sound.wav", wav(pcm, RATE)), response_format="verbose_json"
    )
    assert (heard.text, heard.segments) == ("", [])


def test_speech_in_noise_is_still_heard(client: OpenAI) -> None:
    """The filter for silence lets a voice through that is 20 dB louder than the room."""
    recording = RECORDINGS["sense_and_sensibility_0930"]
    voice = from_pcm(recording.load()[0].tobytes())
    room = np.random.default_rng(1).normal(0, float(np.sqrt(np.mean(voice**2))) / 10, len(voice))
    pcm = (np.clip(voice + room, -1, 1) * 32767).astype("<i2").tobytes()
    heard = client.audio.transcriptions.create(model="moonshine-tiny-en", file=("noisy.wav", wav(pcm, RATE))).text
    assert "amiable" in heard
