"""Where in a recording somebody speaks: the Silero VAD that comes compiled with livekit-agents.

Without it Moonshine writes "You" for silence and for noise (measured on zeros, white noise, a tone and clicks).
It costs about 1 ms per second of audio.
"""

import numpy as np
from livekit.local_inference import VAD, VAD_WINDOW_SAMPLES
from numpy.typing import NDArray

from agent.dev.models.samples import HEARING_RATE, Samples

WINDOW_S = VAD_WINDOW_SAMPLES / HEARING_RATE
# Speech of the recordings in tests/audio reaches 1.0; silence, noise, tones and clicks stay below 0.1.
SPEECH_PROBABILITY = 0.25
# Moonshine takes 28 ms for each second of an utterance of 8 s, 33 at 16 s and 40 at 24 s (measured).
PIECE_MIN_S = 8.0
PIECE_MAX_S = 16.0
SMOOTHING_WINDOWS = 7
# What differs from the quietest moment by less than this belongs to the same pause.
QUIET_MARGIN = 0.02


def speech_probabilities(samples: Samples) -> NDArray[np.float32]:
    """The probability of speech in each window of `WINDOW_S` seconds; samples are 16 kHz mono."""
    pcm = (np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)
    padded = np.pad(pcm, (0, -len(pcm) % VAD_WINDOW_SAMPLES))
    with VAD() as vad:
        windows = padded.reshape(-1, VAD_WINDOW_SAMPLES)
        return np.array([vad.predict(window) for window in windows], dtype=np.float32)


def has_speech(probabilities: NDArray[np.float32]) -> bool:
    """Whether anybody speaks."""
    return bool(len(probabilities)) and bool(probabilities.max() >= SPEECH_PROBABILITY)


def cut_points(probabilities: NDArray[np.float32]) -> list[int]:
    """Windows at which to cut a long recording into pieces of 8-16 s: the middle of the least speech-like stretch.

    Moonshine was made for utterances, and one long recording at once would keep the short ones of other callers
    waiting.
    """
    shortest, longest = int(PIECE_MIN_S / WINDOW_S), int(PIECE_MAX_S / WINDOW_S)
    smooth = np.convolve(probabilities, np.full(SMOOTHING_WINDOWS, 1 / SMOOTHING_WINDOWS), mode="same")
    cuts: list[int] = []
    start = 0
    while len(probabilities) - start > longest:
        start += shortest + _middle_of_pause(smooth[start + shortest : start + longest])
        cuts.append(start)
    return cuts


def _middle_of_pause(probabilities: NDArray[np.float32]) -> int:
    quiet = probabilities <= probabilities.min() + QUIET_MARGIN
    first = int(quiet.argmax())
    length = int((~quiet[first:]).argmax()) or len(quiet) - first
    return first + length // 2
