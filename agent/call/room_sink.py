"""The agent's track in a room, as a sink for its voice."""

import asyncio
import logging

from livekit import rtc
from livekit.rtc.participant import UnpublishTrackError

from agent.call.voice_output import Samples

logger = logging.getLogger("agent.call")

RATE = 24_000  # what most voices speak at
QUEUE_MS = 400
# The library takes the track off at once and then says so; when the room is gone meanwhile, it never does.
UNPUBLISH_TIMEOUT_S = 1.0


class RoomSink:
    """See `Sink`. The track is published by `publish`, which may run while other things are prepared."""

    def __init__(self) -> None:
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=QUEUE_MS)
        self._track: rtc.LocalAudioTrack | None = None
        self._participant: rtc.LocalParticipant | None = None
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
        self._participant = room.local_participant
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

    async def withdraw(self) -> None:
        """Take the track out of the room, when nobody is there to hear it and before the room is left.

        Leaving does it as well, but comes later, after the session has closed; whoever deletes the room meanwhile, as a
        webhook may that learns that the person left, would have the track stay as long as the process (see
        `agent.hosting.leftovers`). With the server gone it takes `UNPUBLISH_TIMEOUT_S`, which nobody waits for.
        """
        participant, self._participant = self._participant, None
        if participant is None or self._track is None:
            return
        try:
            async with asyncio.timeout(UNPUBLISH_TIMEOUT_S):
                await participant.unpublish_track(self._track.sid)
        except (TimeoutError, UnpublishTrackError) as error:
            logger.debug("the track was not taken out of the room: %s", error)

    async def aclose(self) -> None:
        """Let go of the track and its source, whose thread would go on in a process that has other calls.

        After the room was left: only then the library has let go of them.
        """
        if self._track is not None:
            self._track._ffi_handle.dispose()  # else it is kept until some garbage collection
        await self._source.aclose()
