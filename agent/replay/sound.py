"""Sound of a replay: 16-bit mono samples at the rate at which a room delivers and takes audio."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.dev.models.audio_decoding import AudioError, decode_audio

Sound = NDArray[np.int16]

# What livekit-agents asks a room for, and what it gives it.
RATE = 24_000
MAX_SECONDS = 1800.0
MAX_BYTES = 512 * 1024 * 1024


class SoundError(ValueError):
    """A file cannot be replayed; the message names it and says why, in one line."""


class SoundSource(Protocol):
    """What a microphone hears."""

    @property
    def exhausted(self) -> bool:
        """Whether nothing but silence is left."""

    def read(self, start: int, count: int) -> Sound:
        """The samples from a place on, `count` of them; silence where there is nothing."""


class Recording:
    """A recording as a source; see `SoundSource`.

    Args:
        samples: the recording.
    """

    def __init__(self, samples: Sound) -> None:
        self._samples = samples
        self._position = 0

    @property
    def exhausted(self) -> bool:
        """See `SoundSource`."""
        return self._position >= len(self._samples)

    def read(self, start: int, count: int) -> Sound:
        """See `SoundSource`."""
        self._position = start + count
        part = self._samples[start : start + count]
        return np.concatenate([part, silence(count - len(part))])


def load_sound(path: Path) -> Sound:
    """A recording from a file: anything that FFmpeg knows as audio, at any rate; stereo is mixed to mono.

    Raises:
        SoundError: there is no such file, it is empty, no audio, or longer than 30 minutes.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SoundError(f"{path}: the file is larger than {MAX_BYTES // 2**20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise SoundError(f"{path}: {error.strerror or error}") from None
    if not data:
        raise SoundError(f"{path}: the file is empty")
    try:
        samples = decode_audio(data, MAX_SECONDS, RATE)
    except AudioError as error:
        raise SoundError(f"{path}: {error}") from None
    return to_sound(samples)


def to_sound(samples: NDArray[np.floating]) -> Sound:
    """16-bit samples from floats between -1 and 1; louder ones are clipped."""
    return np.asarray(np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)


def silence(count: int) -> Sound:
    """So many samples of nothing."""
    return np.zeros(count, np.int16)
