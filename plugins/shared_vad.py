"""One pass of voice activity detection for everybody in a call who needs it.

The session opens a stream for itself and, with a streaming STT, another one would run beside it over the same audio.
Here the session's stream is the only one that computes; others listen to its events.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from livekit import rtc
from livekit.agents import vad
from livekit.agents.utils import aio

# Ten seconds of windows of 32 ms: a listener that falls behind further has stopped.
MAX_WAITING = 320


class SharedVAD(vad.VAD):
    """A VAD whose events others may listen to.

    Args:
        inner: the VAD that computes.
    """

    def __init__(self, inner: vad.VAD) -> None:
        super().__init__(capabilities=inner.capabilities)
        self.inner = inner
        self._listeners: list[aio.Chan[vad.VADEvent]] = []

    @property
    def model(self) -> str:
        """The model of the VAD underneath."""
        return self.inner.model

    @property
    def provider(self) -> str:
        """The provider of the VAD underneath."""
        return self.inner.provider

    @property
    def min_silence_duration(self) -> float | None:
        """Seconds of silence that end speech; livekit-agents reads it."""
        value: float | None = getattr(self.inner, "min_silence_duration", None)
        return value

    def stream(self) -> "SharedVADStream":
        """The stream for the owner of the audio; its events go to all listeners."""
        return SharedVADStream(self)

    @contextlib.contextmanager
    def listen(self) -> Iterator[AsyncIterator[vad.VADEvent]]:
        """The events of whatever stream is open, from now on."""
        channel = aio.Chan[vad.VADEvent]()
        self._listeners.append(channel)
        try:
            yield channel
        finally:
            self._listeners.remove(channel)
            channel.close()

    def publish(self, event: vad.VADEvent) -> None:
        """Tell every listener."""
        for channel in self._listeners:
            if channel.qsize() < MAX_WAITING:
                channel.send_nowait(event)


class SharedVADStream(vad.VADStream):
    """The stream of `SharedVAD`."""

    def __init__(self, shared: SharedVAD) -> None:
        self._shared = shared
        self._inner = shared.inner.stream()
        super().__init__(shared)

    async def aclose(self) -> None:
        """Close both streams."""
        await super().aclose()
        await self._inner.aclose()

    async def _main_task(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            feeder = tasks.create_task(self._feed())
            async for event in self._inner:
                # The owner first: when a listener acts on an end of speech, the session knows of it.
                self._event_ch.send_nowait(event)
                self._shared.publish(event)
            feeder.cancel()

    async def _feed(self) -> None:
        async for item in self._input_ch:
            if isinstance(item, rtc.AudioFrame):
                self._inner.push_frame(item)
            else:
                self._inner.flush()
        self._inner.end_input()
