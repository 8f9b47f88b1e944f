"""What a call hears and plays, passed on as it is and told to its recording."""

from collections.abc import Callable

import numpy as np
from livekit import rtc
from livekit.agents.voice import io

from agent.call.voice_output import Sink
from agent.recording.timeline import Samples


class HeardInput(io.AudioInput):
    """The caller's audio as the session hears it.

    Args:
        source: where it comes from.
        heard: told of each frame, in mono.
    """

    def __init__(self, source: io.AudioInput, heard: Callable[[Samples, int], None]) -> None:
        super().__init__(label="recording", source=source)
        self._heard = heard

    async def __anext__(self) -> rtc.AudioFrame:
        frame = await super().__anext__()
        samples = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)[:, 0].copy()
        self._heard(samples, frame.sample_rate)
        return frame


class PlayedSink:
    """See `Sink`; what it plays is told.

    Args:
        sink: plays.
        played: told of samples before they are played, and after how many seconds that will be.
        taken_back: told how many of the last samples will not be played.
    """

    def __init__(self, sink: Sink, played: Callable[[float, Samples], None], taken_back: Callable[[int], None]) -> None:
        self._sink = sink
        self._played = played
        self._taken_back = taken_back

    @property
    def rate(self) -> int:
        """See `Sink`."""
        return self._sink.rate

    async def ready(self) -> None:
        """See `Sink`."""
        await self._sink.ready()

    async def send(self, samples: Samples) -> None:
        """See `Sink`."""
        self._played(self._sink.queued(), samples)
        await self._sink.send(samples)

    def queued(self) -> float:
        """See `Sink`."""
        return self._sink.queued()

    def clear(self) -> int:
        """See `Sink`."""
        left = self._sink.clear()
        self._taken_back(left)
        return left
