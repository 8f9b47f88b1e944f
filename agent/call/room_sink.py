"""The agent's track in a room, as a sink for its voice."""

import asyncio

from livekit import rtc

from agent.call.voice_output import Samples

RATE = 24_000  # what most voices speak at
QUEUE_MS = 400


class RoomSink:
    """See `Sink`. The track is published by `publish`, which may run while other things are prepared."""

    def __init__(self) -> None:
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=QUEUE_MS)
        self._track: rtc.LocalAudioTrack | None = None
        self._heard = asyncio.Event()

    @property
    def rate(self) -> int:
        """See `Sink`."""
        return RATE

    async def publish(self, room: rtc.Room) -> None:
        """Publish the track, and wait until somebody listens: what is said before would be lost."""
        self._track = rtc.LocalAudioTrack.create_audio_track("agent", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        publication = await room.local_participant.publish_track(self._track, options)
        await publication.wait_for_subscription()
        self._heard.set()

    async def ready(self) -> None:
        """See `Sink`."""
        await self._heard.wait()

    async def send(self, samples: Samples) -> None:
        """See `Sink`."""
        await self._source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples)))

    def queued(self) -> float:
        """See `Sink`."""
        return self._source.queued_duration

    def clear(self) -> int:
        """See `Sink`."""
        left = round(self._source.queued_duration * RATE)
        self._source.clear_queue()
        return left

    async def aclose(self) -> None:
        """Let go of the track and its source, whose thread would go on in a process that has other calls."""
        if self._track is not None:
            self._track._ffi_handle.dispose()  # else it is kept until some garbage collection
        await self._source.aclose()
