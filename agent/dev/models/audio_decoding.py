"""From audio files of any common kind to samples, with PyAV (FFmpeg).

What a call sends, WAV of 16 bits at the wanted rate, needs no FFmpeg, whose preparation takes 5 ms of each answer.
"""

import io
import wave
from collections.abc import Iterator

import av
import av.error
import numpy as np

from agent.dev.models.samples import HEARING_RATE, Samples

# FFmpeg also reads playlists and scripts, which may name other files and addresses: only containers of audio here.
CONTAINERS = "wav,w64,mp3,ogg,flac,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,aac,aiff,caf,au,amr,mpeg,mpegts"
# Outside of this a header is damaged; FFmpeg would take seconds to prepare the conversion from 1 GHz.
SAMPLE_RATES = range(1_000, 768_001)


class AudioError(ValueError):
    """A file holds no audio that can be decoded, or too much of it; the message says which."""


def decode_audio(data: bytes, max_seconds: float, rate: int = HEARING_RATE) -> Samples:
    """The first audio stream of a file as mono samples between -1 and 1.

    What is damaged or cut off is left out, as long as anything else can be decoded.

    Args:
        data: the file.
        max_seconds: how long the audio may be.
        rate: of the samples, in Hz.

    Raises:
        AudioError: it is no audio file, holds no audio, or lasts longer than `max_seconds`.
    """
    limit = int(max_seconds * rate)
    if (plain := _plain_wav(data, rate)) is not None and len(plain) <= limit:
        return plain
    parts: list[Samples] = []
    total = 0
    try:
        for part in _resample(_frames(data), rate):
            total += len(part)
            if total > limit:
                raise AudioError(f"the audio is longer than {max_seconds:.0f} s")
            parts.append(part)
    except av.error.FFmpegError:
        raise AudioError("the file is not audio that can be decoded (wav, mp3, ogg, flac, webm, m4a, …)") from None
    if not total:
        raise AudioError("the file holds no audio samples")
    return np.concatenate(parts)


def _plain_wav(data: bytes, rate: int) -> Samples | None:
    """The samples of a mono WAV file of 16 bits at this rate; None for any other file, and for one that is damaged."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, rate):
                return None
            pcm = file.readframes(file.getnframes())
            whole = len(pcm) == 2 * file.getnframes()
    except (wave.Error, EOFError):
        return None
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768) if pcm and whole else None


def _frames(data: bytes) -> Iterator[av.AudioFrame]:
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}
    # Titles and names in the file are not read here, and old ones are not in UTF-8.
    with av.open(io.BytesIO(data), "r", options=options, metadata_errors="ignore") as container:
        if not container.streams.audio:
            raise AudioError("the file holds no audio stream")
        packets = container.demux(container.streams.audio[0])
        damaged: av.error.FFmpegError | None = None
        decoded = False
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                frames = packet.decode()
            except av.error.FFmpegError as error:
                damaged = error
                continue  # after an error of its own the iterator is at its end
            for frame in frames:
                if isinstance(frame, av.AudioFrame):
                    decoded = True
                    yield frame
        if damaged is not None and not decoded:
            raise damaged


def _resample(frames: Iterator[av.AudioFrame], rate: int) -> Iterator[Samples]:
    resampler: av.AudioResampler | None = None
    kind: tuple[str, str, int] | None = None
    for frame in frames:
        of_frame = (frame.format.name, frame.layout.name, frame.sample_rate)
        if of_frame != kind:  # the first, or another recording in the same file
            if frame.sample_rate not in SAMPLE_RATES:
                raise AudioError(f"the sample rate of the audio is {frame.sample_rate} Hz")
            if resampler is not None:
                yield from _samples(resampler.resample(None))
            resampler, kind = av.AudioResampler(format="flt", layout="mono", rate=rate), of_frame
        assert resampler is not None
        yield from _samples(resampler.resample(frame))
    if resampler is not None:
        yield from _samples(resampler.resample(None))


def _samples(frames: list[av.AudioFrame]) -> Iterator[Samples]:
    return (frame.to_ndarray()[0] for frame in frames)
