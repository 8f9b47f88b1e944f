"""Recordings as a test reads them."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

AUDIBLE = 300  # of 32,767


def channels(path: Path) -> tuple[Samples, Samples, int]:
    """Left and right of a file, and the samples a second."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    left, right = (np.concatenate(frames, axis=1) * 32_767).clip(-32_768, 32_767).astype(np.int16)
    return left, right, rate


def audible(samples: Samples, rate: int, frame_s: float = 0.02) -> NDArray[np.bool_]:
    """Which stretches of 20 ms can be heard."""
    size = int(rate * frame_s)
    whole = samples[: len(samples) // size * size].reshape(-1, size)
    found: NDArray[np.bool_] = np.abs(whole).max(axis=1) > AUDIBLE
    return found


def span(samples: Samples, rate: int) -> tuple[float, float]:
    """From the first audible moment to the last, in seconds."""
    places = np.flatnonzero(np.abs(samples) > AUDIBLE)
    return places[0] / rate, places[-1] / rate


def tone(hertz: int, seconds: float, rate: int) -> Samples:
    """A loud tone."""
    return (np.sin(np.arange(int(seconds * rate)) / rate * 2 * np.pi * hertz) * 10_000).astype(np.int16)
