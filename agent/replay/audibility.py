"""When something can be heard on a track: the pure part, in samples."""

import numpy as np
from numpy.typing import NDArray

from agent.replay.sound import RATE, Sound

WINDOW = RATE // 100
# Below this share of the track's peak nobody hears speech; so measure the tests at a room's other end, too.
SHARE_OF_PEAK = 0.03
# Noise is what the quietest tenth of the track holds; speech stands out of it.
NOISE_QUANTILE = 0.1
ABOVE_NOISE = 2.0
# However noisy a track is, its loudest half is heard.
HIGHEST_SHARE = 0.5


def audible_windows(track: Sound) -> NDArray[np.bool_]:
    """Whether somebody is heard in each 10 ms of a track, whatever its level; a track of silence has nothing."""
    whole = track[: len(track) // WINDOW * WINDOW].reshape(-1, WINDOW)
    peaks = np.abs(whole.astype(np.int32)).max(axis=1, initial=0)
    loudest = int(peaks.max(initial=0))
    spoken = peaks[peaks > 0]
    noise = float(np.quantile(spoken, NOISE_QUANTILE)) if len(spoken) else 0.0
    threshold = min(max(SHARE_OF_PEAK * loudest, ABOVE_NOISE * noise), HIGHEST_SHARE * loudest)
    return np.asarray(peaks > threshold)


def last_before(audible: NDArray[np.bool_], seconds: float) -> float | None:
    """The end of the last audible window that begins before a moment, in seconds; None when there is none."""
    windows = np.flatnonzero(audible[: max(0, int(np.ceil(seconds * RATE / WINDOW)))])
    return (int(windows[-1]) + 1) * WINDOW / RATE if len(windows) else None


def stretches(audible: NDArray[np.bool_], gap: float = 0.3) -> list[tuple[float, float]]:
    """Where somebody is heard without a longer gap (seconds), as starts and ends in seconds."""
    found: list[tuple[float, float]] = []
    for window in np.flatnonzero(audible):
        start, end = int(window) * WINDOW / RATE, (int(window) + 1) * WINDOW / RATE
        if found and start - found[-1][1] <= gap:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
