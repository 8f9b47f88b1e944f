"""Samples: mono floats between -1 and 1, at the rate that the model hears or speaks."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

HEARING_RATE = 16_000
SPEAKING_RATE = 24_000


def to_pcm(samples: Samples) -> bytes:
    """16-bit little-endian samples."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


def silence(seconds: float) -> Samples:
    """So many seconds of nothing, at the speaking rate."""
    return np.zeros(int(seconds * SPEAKING_RATE), np.float32)
