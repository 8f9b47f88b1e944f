"""An Ogg file of two channels that is playable at any moment, were its process killed: each page is written at once."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.container import OutputContainer

from agent.recording.timeline import Samples

RATE = 24_000  # what the agent speaks at; Opus takes it as it is
BIT_RATE = 48_000  # both channels
PAGE_S = 0.25
OWNER_ALONE = 0o600


class OggFile:
    """Opus in Ogg: the caller left, the agent right.

    Args:
        path: where; the folder is made, a file that is there already is an error.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = _Disk(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE))
        options = {"page_duration": str(int(PAGE_S * 1e6)), "flush_packets": "1"}
        self._container: OutputContainer = av.open(self._file, "w", format="ogg", options=options)
        self._stream = self._container.add_stream("libopus", rate=RATE, layout="stereo")
        self._stream.bit_rate = BIT_RATE
        # Made for music: with that for speech one channel is heard in the other, at -75 dB and louder.
        self._stream.codec_context.options = {"application": "audio"}
        self._samples = 0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self._samples / RATE

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._file.size

    def write(self, block: Samples) -> None:
        """Write what comes next; raises OSError or av.FFmpegError.

        Args:
            block: two rows, left and right, of samples at `RATE`.
        """
        interleaved = np.ascontiguousarray(block.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._samples, Fraction(1, RATE)
        self._samples += block.shape[1]
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def finish(self) -> None:
        """Write what the encoder still holds; raises OSError or av.FFmpegError."""
        if self._samples:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _Disk:
    """A file that FFmpeg writes to; what goes wrong is an OSError with its own words."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = 0

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self.size += written
            view = view[written:]
        return len(data)

    def close(self) -> None:
        """FFmpeg may want to write once more when it goes: its number could be another file's by then."""
        os.close(self._descriptor)
        self._descriptor = -1
