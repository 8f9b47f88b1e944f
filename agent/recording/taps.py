"""What a call plays, passed on as it is and told to its recording."""

from collections.abc import Callable

from agent.call.voice_output import Sink
from agent.recording.timeline import Samples


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
