"""From samples to audio files while they are being made, with PyAV (FFmpeg)."""

import struct
from dataclasses import dataclass
from typing import Literal, Protocol

import av
import numpy as np

from agent.dev.models.samples import SPEAKING_RATE, Samples, to_pcm

AudioFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]


class AudioEncoder(Protocol):
    """Turns samples (24 kHz mono) into bytes as they come."""

    def encode(self, samples: Samples) -> bytes:
        """The bytes that are ready after these samples."""
        ...

    def finish(self) -> bytes:
        """What is left."""
        ...


class PcmEncoder:
    """Raw 16-bit little-endian mono, optionally behind a WAV header.

    The header of a stream cannot know the length; as others do, it says the largest one.
    """

    def __init__(self, *, wav_header: bool) -> None:
        self._pending = _wav_header() if wav_header else b""

    def encode(self, samples: Samples) -> bytes:
        """The samples, after the header the first time."""
        head, self._pending = self._pending, b""
        return head + to_pcm(samples)

    def finish(self) -> bytes:
        """The header, if no samples came."""
        return self._pending


def _wav_header() -> bytes:
    unknown = 0xFFFFFFFF
    layout = struct.pack("<IHHIIHH", 16, 1, 1, SPEAKING_RATE, SPEAKING_RATE * 2, 2, 16)
    return b"RIFF" + struct.pack("<I", unknown) + b"WAVEfmt " + layout + b"data" + struct.pack("<I", unknown)


@dataclass(frozen=True, slots=True)
class _Container:
    format: str
    codec: str
    options: dict[str, str]


# Options that make each container go out in small parts, without going back to fill in a length.
_CONTAINERS = {
    "mp3": _Container("mp3", "libmp3lame", {"write_xing": "0", "id3v2_version": "0"}),
    "opus": _Container("ogg", "libopus", {"page_duration": "20000"}),
    "aac": _Container("adts", "aac", {}),
    "flac": _Container("flac", "flac", {}),
}


class _Sink:
    """A file to write to that cannot seek: what was written is taken out again."""

    def __init__(self) -> None:
        self._parts = bytearray()

    def write(self, data: bytes) -> int:
        self._parts += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._parts)
        self._parts.clear()
        return taken


class CompressedEncoder:
    """MP3, Opus in Ogg, AAC in ADTS, or FLAC."""

    def __init__(self, name: Literal["mp3", "opus", "aac", "flac"]) -> None:
        kind = _CONTAINERS[name]
        self._sink = _Sink()
        self._output = av.open(
            self._sink, "w", format=kind.format, container_options={**kind.options, "flush_packets": "1"}
        )
        stream = self._output.add_stream(kind.codec, rate=SPEAKING_RATE)
        if not isinstance(stream, av.AudioStream):
            raise TypeError(f"{kind.codec} is no audio codec")
        self._stream = stream
        self._stream.layout = "mono"
        self._resampler = av.AudioResampler(self._stream.format, "mono", SPEAKING_RATE)
        self._position = 0

    def encode(self, samples: Samples) -> bytes:
        """The packets that are complete after these samples."""
        frame = to_frame(samples)
        frame.pts = self._position
        self._position += frame.samples
        self._mux(frame)
        return self._sink.take()

    def finish(self) -> bytes:
        """The last packets and the end of the container."""
        self._mux(None)
        self._output.mux(self._stream.encode(None))
        self._output.close()
        return self._sink.take()

    def _mux(self, frame: av.AudioFrame | None) -> None:
        for converted in self._resampler.resample(frame):
            self._output.mux(self._stream.encode(converted))


def new_encoder(name: AudioFormat) -> AudioEncoder:
    """An encoder for one response."""
    if name == "pcm" or name == "wav":
        return PcmEncoder(wav_header=name == "wav")
    return CompressedEncoder(name)


def to_frame(samples: Samples) -> av.AudioFrame:
    """The samples as FFmpeg takes them."""
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None, :]), format="flt", layout="mono")
    frame.sample_rate = SPEAKING_RATE
    return frame
