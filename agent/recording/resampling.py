"""From the rates of a call to that of its recording."""

import av
import numpy as np

from agent.recording.timeline import Resampler, Resampling, Samples


class _AsItIs:
    def push(self, samples: Samples) -> Samples:
        return samples

    def flush(self) -> Samples:
        return np.zeros(0, np.int16)


class _Converted:
    def __init__(self, from_rate: int, to_rate: int) -> None:
        self._from_rate = from_rate
        self._inner = av.AudioResampler(format="s16", layout="mono", rate=to_rate)

    def push(self, samples: Samples) -> Samples:
        if not len(samples):
            return samples
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self._from_rate
        return _joined(self._inner.resample(frame))

    def flush(self) -> Samples:
        return _joined(self._inner.resample(None))


def resampling(from_rate: int, to_rate: int) -> Resampling:
    """What makes resamplers from one rate to another."""

    def make() -> Resampler:
        return _AsItIs() if from_rate == to_rate else _Converted(from_rate, to_rate)

    return make


def _joined(frames: list[av.AudioFrame]) -> Samples:
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)
