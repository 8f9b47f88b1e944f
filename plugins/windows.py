"""Audio as it comes, cut into the windows of the voice activity detector."""

from typing import NamedTuple

import numpy as np
from livekit import rtc
from livekit.local_inference import VAD_WINDOW_SAMPLES
from numpy.typing import NDArray

RATE = 16_000
WINDOW_S = VAD_WINDOW_SAMPLES / RATE
SAMPLE_BYTES = 2


class Window(NamedTuple):
    """What the model hears at once, and the same audio as it came."""

    samples: NDArray[np.int16]
    frame: rtc.AudioFrame


class Windows:
    """Cuts frames of any length into windows; mono.

    Args:
        rate: of the frames; at another rate than the model's they are resampled.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._resampler: rtc.AudioResampler | None = None
        if rate != RATE:
            self._resampler = rtc.AudioResampler(rate, RATE, quality=rtc.AudioResamplerQuality.QUICK)
        self._came = bytearray()
        self._resampled = bytearray()
        # Of a sample that belongs to a window and could not be given with it.
        self._rest = 0.0

    def push(self, frame: rtc.AudioFrame) -> list[Window]:
        """The windows that are complete with a frame."""
        if self._resampler is None and not self._came and frame.samples_per_channel == VAD_WINDOW_SAMPLES:
            return [Window(np.frombuffer(frame.data, np.int16, VAD_WINDOW_SAMPLES), frame)]
        self._came += frame.data[: frame.samples_per_channel]
        heard = self._came
        if self._resampler is not None:
            heard = self._resampled
            for resampled in self._resampler.push(frame):
                heard += resampled.data
        windows = []
        while len(heard) >= VAD_WINDOW_SAMPLES * SAMPLE_BYTES:
            samples = np.frombuffer(bytes(heard[: VAD_WINDOW_SAMPLES * SAMPLE_BYTES]), np.int16)
            if self._resampler is not None:
                del heard[: VAD_WINDOW_SAMPLES * SAMPLE_BYTES]
            windows.append(Window(samples, self._take()))
        return windows

    def _take(self) -> rtc.AudioFrame:
        """As much of what came as a window lasts."""
        exact = VAD_WINDOW_SAMPLES * (self.rate / RATE) + self._rest
        count = int(exact)
        self._rest = exact - count
        data = bytes(self._came[: count * SAMPLE_BYTES])
        del self._came[: count * SAMPLE_BYTES]
        return rtc.AudioFrame(data, self.rate, 1, count)
