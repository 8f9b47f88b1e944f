"""Audio files for tests: a recording in another format, and what can be measured on samples."""

import io
import wave
from dataclasses import dataclass
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from tests.support.recordings import Recording

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class FileKind:
    """A kind of audio file as people have them: container, codec, sample rate in Hz, channels."""

    extension: str
    container: str
    codec: str
    rate: int
    layout: Literal["mono", "stereo"] = "mono"

    def __str__(self) -> str:
        return f"{self.extension}-{self.codec}-{self.rate}-{self.layout}"


def encode(samples: Samples, rate: int, kind: FileKind) -> bytes:
    """A file of this kind that holds the samples (mono, between -1 and 1, `rate` in Hz)."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind.container) as output:
        stream = output.add_stream(kind.codec, rate=kind.rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = kind.layout
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None, :]), format="flt", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format, kind.layout, kind.rate)
        for converted in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(converted))
        output.mux(stream.encode(None))
    return file.getvalue()


def wav(pcm: bytes, rate: int) -> bytes:
    """A WAV file of raw 16-bit little-endian mono."""
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((1, 2, rate, 0, "NONE", ""))
        output.writeframes(pcm)
    return file.getvalue()


def recorded(recording: Recording, kind: FileKind) -> bytes:
    """A recording as a file of this kind."""
    samples, rate = recording.load()
    return encode(samples.astype(np.float32) / np.float32(32768), rate, kind)


def decode(data: bytes, rate: int = 24_000) -> Samples:
    """The samples of a file: mono, between -1 and 1."""
    resampler = av.AudioResampler("flt", "mono", rate)
    with av.open(io.BytesIO(data), "r") as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in [*frames, *resampler.resample(None)]])


def from_pcm(data: bytes) -> Samples:
    """The samples of raw 16-bit little-endian mono."""
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)


@dataclass(frozen=True)
class Silences:
    """Where a voice is silent, in seconds: before it begins, after it ends, and at most in between."""

    before: float
    after: float
    longest: float


def silences(samples: Samples, rate: int) -> Silences:
    """Measure silences: below 2 % of the loudest sample, in steps of 10 ms."""
    step = rate // 100
    peaks = np.abs(samples[: len(samples) // step * step]).reshape(-1, step).max(axis=1)
    loud = np.flatnonzero(peaks > 0.02 * peaks.max())
    gaps = np.diff(loud) - 1
    return Silences(
        before=float(loud[0]) / 100,
        after=float(len(peaks) - 1 - loud[-1]) / 100,
        longest=float(gaps.max(initial=0)) / 100,
    )
