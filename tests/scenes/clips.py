"""The clips of a scene as samples: loaded once, made longer by pauses, softer, or robbed of their low sounds."""

import json
from functools import cache

import numpy as np
from numpy.typing import NDArray

from agent.replay.audibility import audible_windows, stretches
from agent.replay.sound import RATE, Sound, load_sound
from tests.scenes.script import Noise, Said, SceneError
from tests.support.recordings import AUDIO_DIR, RECORDINGS

SOUNDS_DIR = AUDIO_DIR / "sounds"
Floats = NDArray[np.float64]

FADE = RATE // 200
# What is this far below the loudest sound of a clip and apart from it is a breath, or the lips.
BREATH = 0.1
BREATH_GAP_S = 0.1


@cache
def load_clip(name: str) -> Sound:
    """A recording or a sound, by its name; raises SceneError when there is none."""
    if name in RECORDINGS:
        return load_sound(RECORDINGS[name].path)
    if name in sound_names():
        return load_sound(SOUNDS_DIR / f"{name}.wav")
    raise SceneError(f"there is no clip {name!r} in tests/audio")


@cache
def sound_names() -> frozenset[str]:
    """What is in tests/audio/sounds."""
    return frozenset(json.loads((SOUNDS_DIR / "sounds.json").read_text(encoding="utf-8")))


def transcript(name: str) -> str:
    """The words of a clip; "" for one without."""
    return RECORDINGS[name].transcript if name in RECORDINGS else ""


def prepare(said: Said) -> Sound:
    """The samples of what is said, pauses and all."""
    samples = load_clip(said.clip).astype(np.float64) / 32768
    if said.high_pass_hz is not None or said.low_pass_hz is not None:
        samples = _band(samples, said.high_pass_hz or 0.0, said.low_pass_hz or RATE / 2)
    parts, done = [], 0
    for pause in sorted(said.pauses, key=lambda pause: pause.at):
        at = round(pause.at * RATE)
        parts += [_faded(samples[done:at]), np.zeros(round(pause.seconds * RATE))]
        done = at
    whole = np.concatenate([*parts, _faded(samples[done:])]) if parts else samples
    return _rounded(whole * 10 ** (said.gain_db / 20))


def audible_part(samples: Sound) -> tuple[float, float]:
    """Where the speech or sound of a clip begins and ends, in seconds; a breath before it does not count."""
    loudest = int(np.abs(samples.astype(np.int32)).max(initial=0))
    parts = [
        (start, end)
        for start, end in stretches(audible_windows(samples), BREATH_GAP_S)
        if np.abs(samples[int(start * RATE) : int(end * RATE)].astype(np.int32)).max() >= BREATH * loudest
    ]
    return (parts[0][0], parts[-1][1]) if parts else (0.0, len(samples) / RATE)


def noise_for(noise: Noise, speech: list[Sound]) -> Sound:
    """One round of the noise, so loud that the speech stands out of it by as much as is wanted.

    Both are measured as root mean square; the speech only where somebody is heard.
    """
    clip = load_clip(noise.clip)
    wanted = _level(np.concatenate([_heard(part) for part in speech])) / 10 ** (noise.snr_db / 20)
    return _rounded(clip / 32768 * (wanted / _level(clip)))


def _rounded(samples: Floats) -> Sound:
    """16-bit samples, the same ones for what was not changed."""
    return np.asarray(np.clip(np.rint(samples * 32768), -32768, 32767)).astype(np.int16)


def _heard(samples: Sound) -> Sound:
    windows = audible_windows(samples)
    whole = samples[: len(windows) * (RATE // 100)].reshape(-1, RATE // 100)
    return np.asarray(whole[windows].reshape(-1))


def _level(samples: Sound) -> float:
    return float(np.sqrt(np.mean((samples.astype(np.float64) / 32768) ** 2)))


def _faded(
    samples: Floats,
) -> Floats:
    """Without the click that a cut makes."""
    faded = samples.copy()
    ramp = np.linspace(0, 1, min(FADE, len(faded)))
    faded[: len(ramp)] *= ramp
    faded[len(faded) - len(ramp) :] *= ramp[::-1]
    return faded


def _band(samples: Floats, low: float, high: float) -> Floats:
    """Only what is between two frequencies (Hz), with slopes of half an octave."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    if low:
        spectrum *= np.clip(2 * frequencies / low - 1, 0.0, 1.0)
    spectrum *= np.clip(2 - frequencies / high, 0.0, 1.0)
    return np.asarray(np.fft.irfft(spectrum, len(samples)))
