"""The agent's voice on its way out: played in real time, stopped at once, continued without a gap, and remembered.

The library's own output throws away what its queue holds when it pauses (up to 200 ms), so that a reply that goes on
after a cough has lost a syllable. Here a pause takes back what has not been played, and the position is exact.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from livekit import rtc
from livekit.agents.voice import io
from numpy.typing import NDArray

from agent.call.spoken_words import SpokenWords

Samples = NDArray[np.int16]

# Handed over at once, and kept in the queue of the sink: the event loop may be held up for so long without a gap.
CHUNK_S = 0.1


class Sink(Protocol):
    """Where audio is played: mono, 16 bit."""

    @property
    def rate(self) -> int:
        """Samples a second."""

    async def ready(self) -> None:
        """Wait until somebody can hear it."""

    async def send(self, samples: Samples) -> None:
        """Queue samples; they begin to play when those before them have."""

    def queued(self) -> float:
        """Seconds that are queued and have not been played."""

    def clear(self) -> int:
        """Throw away what is queued; returns how many samples of it have not been played.

        One look at the clock for both: between two of them some samples would be played, and be played again later.
        """


@dataclass(frozen=True, slots=True)
class PlayedClip:
    """What was played of a reply before it was cut."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate

    def last(self, seconds: float) -> "PlayedClip":
        """Its end, or all of it when it is shorter."""
        return PlayedClip(self.samples[-max(1, int(seconds * self.rate)) :], self.rate)

    def to_frame(self) -> rtc.AudioFrame:
        """One frame for a recogniser."""
        return rtc.AudioFrame(self.samples.tobytes(), self.rate, 1, len(self.samples))


@dataclass(slots=True)
class _Reply:
    """One reply: its audio so far, and how much of it has been handed to the sink."""

    chunks: list[Samples] = field(default_factory=list)
    total: int = 0
    sent: int = 0
    complete: bool = False
    run_began: float | None = None  # when the stretch that plays now began
    run_from: int = 0

    def add(self, samples: Samples) -> None:
        """Further audio."""
        self.chunks.append(samples)
        self.total += len(samples)

    def next(self, count: int) -> Samples:
        """The next samples to send, as many as there are; they count as sent."""
        if len(self.chunks) > 1:
            self.chunks = [np.concatenate(self.chunks)]
        samples = self.chunks[0][self.sent : self.sent + count]
        self.sent += len(samples)
        return samples

    def played(self) -> Samples:
        """What has been sent."""
        return np.concatenate(self.chunks)[: self.sent] if self.chunks else np.zeros(0, np.int16)


class VoiceOutput(io.AudioOutput):
    """Plays replies into a sink; `run` does the work.

    `cut` is what was played of the last reply, if it was cut. `words`, where they are set, are told how far it is.

    Args:
        sink: where the audio goes.
    """

    def __init__(self, sink: Sink) -> None:
        super().__init__(
            label="voice",
            capabilities=io.AudioOutputCapabilities(pause=True),
            sample_rate=sink.rate,
            next_in_chain=None,
        )
        self.cut: PlayedClip | None = None
        self.words: SpokenWords | None = None
        self._sink = sink
        self._reply: _Reply | None = None
        self._paused = False
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Play until cancelled."""
        while True:
            self._changed.clear()
            await self._step()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Further audio of the reply; see `AudioOutput.capture_frame`."""
        await self._sink.ready()
        await super().capture_frame(frame)
        if self._reply is None:
            self._reply = _Reply()
        samples = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)[:, 0].copy()
        self._reply.add(samples)
        if self.words is not None:
            self.words.add_audio(samples, self._sink.rate)
        self._changed.set()

    def flush(self) -> None:
        """The reply has no more audio."""
        super().flush()
        if self._reply is not None:
            self._reply.complete = True
            self._changed.set()
            if self.words is not None:
                self.words.audio_complete()
        elif self.words is not None:
            self.words.no_audio()

    def clear_buffer(self) -> None:
        """Stop at once: the reply is cut."""
        if self._reply is not None:
            self._take_back(self._reply)
            self._finish(self._reply, interrupted=True)

    def pause(self) -> None:
        """Stop at once, to go on at the same place."""
        super().pause()
        self._paused = True
        if self._reply is not None:
            self._take_back(self._reply)
        self._changed.set()

    def resume(self) -> None:
        """Go on."""
        super().resume()
        self._paused = False
        self._changed.set()

    async def _step(self) -> None:
        reply, sink = self._reply, self._sink
        if reply is None or self._paused or (reply.sent == reply.total and not reply.complete):
            await self._changed.wait()
        elif reply.sent < reply.total:
            if (wait := sink.queued() - CHUNK_S) > 0:
                await self._sleep(wait)
                return
            if reply.run_began is None:
                self._begin_run(reply)
            await sink.send(reply.next(int(CHUNK_S * sink.rate)))
            self._tell_words(reply)
        elif (left := sink.queued()) > 0:
            await self._sleep(left)
        else:
            self._finish(reply, interrupted=False)

    def _begin_run(self, reply: _Reply) -> None:
        now = time.time()
        if reply.sent == 0:
            self.on_playback_started(created_at=now)
        reply.run_began, reply.run_from = now, reply.sent

    def _tell_words(self, reply: _Reply) -> None:
        """The last ones are told while they are still in the queue: nothing wakes us before they have been played."""
        if self.words is not None and reply is self._reply:
            ahead = 0.0 if reply.complete and reply.sent == reply.total else self._sink.queued()
            self.words.played(reply.sent / self._sink.rate - ahead)

    def _take_back(self, reply: _Reply) -> None:
        """What is queued will not be played now."""
        reply.sent = max(reply.run_from, reply.sent - self._sink.clear())
        self._end_run(reply)

    def _end_run(self, reply: _Reply) -> None:
        if reply.run_began is not None and reply.sent > reply.run_from:
            rate = self._sink.rate
            self.on_playback_progressed(
                started_at=reply.run_began, offset=reply.run_from / rate, duration=(reply.sent - reply.run_from) / rate
            )
        reply.run_began = None

    def _finish(self, reply: _Reply, *, interrupted: bool) -> None:
        self._end_run(reply)
        self._reply = None
        self.cut = PlayedClip(reply.played(), self._sink.rate) if interrupted else None
        position = reply.sent / self._sink.rate
        said = None if self.words is None else self.words.finish(position, interrupted=interrupted)
        self.on_playback_finished(playback_position=position, interrupted=interrupted, synchronized_transcript=said)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, unless something changes before."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
