"""A caller for tests: joins a real room, speaks recordings through a real track, and keeps what it hears.

It shows what a person at the other end would get: the reply as samples, the captions of `lk.transcription`, and the
moments of the first and last audible sample.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

Samples = NDArray[np.int16]

HEARD_RATE = 16_000
AUDIBLE = 500  # of 32,767
FRAME_MS = 10


@dataclass(frozen=True)
class Caption:
    """One piece of a live transcript in the room."""

    identity: str
    segment: str
    final: bool
    text: str


@dataclass
class Heard:
    """The agent's audio as it arrived, 16 kHz mono, each frame with the time of its arrival (seconds, monotonic)."""

    frames: list[tuple[float, Samples]] = field(default_factory=list)

    def samples(self, since: float = 0.0) -> Samples:
        """Everything heard after a moment."""
        parts = [frame for at, frame in self.frames if at >= since]
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def last_audible(self) -> float | None:
        """When something audible arrived last."""
        return next((at for at, frame in reversed(self.frames) if np.abs(frame).max() > AUDIBLE), None)

    def first_audible(self, since: float) -> float | None:
        """When something audible arrived first after a moment."""
        return next((at for at, frame in self.frames if at >= since and np.abs(frame).max() > AUDIBLE), None)


class Caller:
    """One person in one room; made by `call`."""

    def __init__(self, room: rtc.Room, source: rtc.AudioSource) -> None:
        self.room = room
        self.heard = Heard()
        self.captions: list[Caption] = []
        self.hung_up_at: float | None = None
        self._source = source
        self._to_say: asyncio.Queue[tuple[Samples, int, asyncio.Future[float]]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        room.on("track_subscribed", self._on_track)
        room.on("disconnected", self._on_disconnected)
        room.register_text_stream_handler("lk.transcription", self._on_caption)

    async def say(self, samples: Samples, rate: int, ends_at: float | None = None) -> float:
        """Speak a recording; returns the moment at which its last audible sample left (seconds, monotonic).

        Args:
            samples: the recording.
            rate: its sample rate in Hz.
            ends_at: when the speech in it ends, in seconds; what comes after that is sent too, while others go on. By
                default the speech ends with the last sample above 3 % of the loudest, and nothing after it is sent.
        """
        spoken: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        wanted = resample(samples, rate, HEARD_RATE)
        if ends_at is None:
            audible = np.flatnonzero(np.abs(wanted) > 0.03 * np.abs(wanted).max())
            wanted = wanted[: int(audible[-1]) + 1]
        end = len(wanted) if ends_at is None else int(ends_at * HEARD_RATE)
        self._to_say.put_nowait((wanted, end, spoken))
        return await spoken

    async def send_text(self, text: str) -> None:
        """Type into the room (`lk.chat`)."""
        await self.room.local_participant.send_text(text, topic="lk.chat")

    async def until_agent_is_there(self, timeout: float = 60.0) -> None:
        """Wait until the agent's track is heard, were it silence."""
        async with asyncio.timeout(timeout):
            while not self.heard.frames:
                await asyncio.sleep(0.05)

    async def until_agent_speaks(self, since: float, timeout: float = 30.0) -> float:
        """Wait until something audible arrives after a moment; returns when it did."""
        async with asyncio.timeout(timeout):
            while (at := self.heard.first_audible(since)) is None:
                await asyncio.sleep(0.02)
        return at

    async def until_agent_is_silent(self, seconds: float = 1.2, timeout: float = 60.0) -> None:
        """Wait until nothing audible has arrived for so long."""
        async with asyncio.timeout(timeout):
            while (last := self.heard.last_audible()) is None or time.monotonic() - last < seconds:
                await asyncio.sleep(0.05)

    async def until_hung_up(self, timeout: float = 60.0) -> float:
        """Wait until the call is ended at the other end; returns when it was (seconds, monotonic)."""
        async with asyncio.timeout(timeout):
            while self.hung_up_at is None:
                await asyncio.sleep(0.02)
        return self.hung_up_at

    def _on_disconnected(self, *_: object) -> None:
        self.hung_up_at = self.hung_up_at or time.monotonic()

    def _on_track(self, track: rtc.Track, *_: object) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._spawn(self._hear(track))

    async def _hear(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=HEARD_RATE, num_channels=1)
        try:
            async for event in stream:
                self.heard.frames.append((time.monotonic(), np.frombuffer(event.frame.data, np.int16).copy()))
        finally:
            await stream.aclose()

    def _on_caption(self, reader: rtc.TextStreamReader, identity: str) -> None:
        self._spawn(self._read_caption(reader, identity))

    async def _read_caption(self, reader: rtc.TextStreamReader, identity: str) -> None:
        attributes = reader.info.attributes or {}
        try:
            text = await reader.read_all()
        except rtc.StreamError:
            return  # the call ended in the middle of a caption
        final = attributes.get("lk.transcription_final") == "true"
        self.captions.append(Caption(identity, attributes.get("lk.segment_id", ""), final, text))

    async def speak_forever(self) -> None:
        """Send what `say` was given, and silence in between, in real time as a microphone does."""
        silence = np.zeros(HEARD_RATE * FRAME_MS // 1000, np.int16)
        while True:
            try:
                samples, end, spoken = self._to_say.get_nowait()
            except asyncio.QueueEmpty:
                await self._push(silence)
                continue
            size = HEARD_RATE * FRAME_MS // 1000
            end += -end % size  # whole frames, so that what follows is joined without a gap
            await self._push(samples[:end])
            # The source still holds what it has not sent yet.
            spoken.set_result(time.monotonic() + self._source.queued_duration)
            await self._push(samples[end:])

    async def _push(self, samples: Samples) -> None:
        size = HEARD_RATE * FRAME_MS // 1000
        padded = np.concatenate([samples, np.zeros(-len(samples) % size, np.int16)])
        for start in range(0, len(padded), size):
            frame = rtc.AudioFrame(padded[start : start + size].tobytes(), HEARD_RATE, 1, size)
            await self._source.capture_frame(frame)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Leave the room, as a person who hangs up."""
        self.room.off("disconnected", self._on_disconnected)
        await self.room.disconnect()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def call(url: str, token: str) -> AsyncIterator[Caller]:
    """Join a room with a microphone that sends silence until `say` is called; leaves it at the end."""
    room = rtc.Room()
    source = rtc.AudioSource(HEARD_RATE, 1, queue_size_ms=100)
    caller = Caller(room, source)
    await room.connect(url, token)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(track, options)
    microphone = asyncio.create_task(caller.speak_forever())
    try:
        yield caller
    finally:
        microphone.cancel()
        await asyncio.gather(microphone, return_exceptions=True)
        await caller.close()
        await source.aclose()


def resample(samples: Samples, rate: int, to_rate: int) -> Samples:
    """Mono samples at another rate, by linear interpolation: good enough for speech into a recogniser."""
    if rate == to_rate:
        return samples
    at = np.arange(0, len(samples), rate / to_rate)
    resampled: Samples = np.interp(at, np.arange(len(samples)), samples).astype(np.int16)
    return resampled
