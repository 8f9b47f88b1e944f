"""What is said in the room, handed to who hears it in the callback in which it arrives.

In the library (livekit 1.1.21, livekit-agents 1.8.9) a frame of sound wakes a task of the SDK's stream, which wakes one
of RoomIO's input, which wakes the session's, which wakes the VAD's: 31 times a second in each call, also in silence.
"""

import asyncio
from collections.abc import Callable
from ctypes import c_uint64, string_at
from typing import Any

from livekit import rtc
from livekit.agents.utils import aio
from livekit.agents.voice import io
from livekit.agents.voice.room_io import room_io
from livekit.agents.voice.room_io._input import _ParticipantAudioInputStream
from livekit.rtc._ffi_client import FfiClient
from livekit.rtc._proto.audio_frame_pb2 import OwnedAudioFrameBuffer
from livekit.rtc._proto.ffi_pb2 import FfiEvent

Hear = Callable[[rtc.AudioFrame], object]
SAMPLE_BYTES = 2


class TrackFrames(rtc.AudioStream):
    """The frames of a track. Who iterates over it is handed them, and gets of the iteration its end alone.

    Args:
        track: what is listened to.
        hear: handed each frame, but only while somebody iterates; what came before that comes first.
        rate: samples a second.
        channels: how many.
        frame_ms: milliseconds in each frame.
    """

    def __init__(self, track: rtc.Track, hear: Hear, rate: int, channels: int, frame_ms: int) -> None:
        self._hear = hear
        self._early: list[rtc.AudioFrame] = []
        self._hand_on: Hear = self._early.append
        self._over = asyncio.Event()
        self._drop_handle = FfiClient.instance._ffi_lib.livekit_ffi_drop_handle
        super().__init__(track, sample_rate=rate, num_channels=channels, frame_size_ms=frame_ms)

    def _create_owned_stream(self) -> Any:
        # The event loop is asked to put each event into this queue. None can have come: the stream is not made yet.
        self._ffi_queue.put_nowait = self._arrived
        return super()._create_owned_stream()

    def _arrived(self, event: FfiEvent) -> None:
        told = event.audio_stream_event
        if told.stream_handle != self._ffi_handle.handle:
            return
        if told.HasField("frame_received"):
            self._hand_on(self._taken(told.frame_received.frame))
        elif told.HasField("eos"):
            self._over.set()

    def _taken(self, owned: OwnedAudioFrameBuffer) -> rtc.AudioFrame:
        """A copy of a frame of the native library, which may forget it then; as in the SDK, for half of the time."""
        info = owned.info
        data = string_at(info.data_ptr, info.num_channels * info.samples_per_channel * SAMPLE_BYTES)
        self._drop_handle(c_uint64(owned.handle.id))
        return rtc.AudioFrame(data, info.sample_rate, info.num_channels, info.samples_per_channel)

    async def _run(self) -> None:
        await self._over.wait()
        FfiClient.instance.queue.unsubscribe(self._ffi_queue)

    async def __anext__(self) -> rtc.AudioFrameEvent:
        """Waits for the end."""
        for frame in self._early:
            self._hear(frame)
        self._early.clear()
        self._hand_on = self._hear
        try:
            await self._over.wait()
        finally:
            self._hand_on = _unheard  # whoever iterated may be cancelled, as another track takes the place of this one
        raise StopAsyncIteration


class RoomHearing(_ParticipantAudioInputStream):
    """RoomIO's input; of it the session gets the sample rate alone, and whoever `hand_to` names the audio.

    Which track is heard, the audio from before the connection, the silence after the end of a track and everything else
    are the library's.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._heard = _Heard()
        self._data_ch = self._heard

    def hand_to(self, hear: Hear) -> None:
        """From now on frames are handed to somebody, first those that came before."""
        self._heard.hand_to(hear, rtc.AudioFrame(b"", self._sample_rate, self._num_channels, 0))

    def _create_stream(self, track: rtc.Track, participant: rtc.Participant) -> rtc.AudioStream:
        return TrackFrames(track, self._take, self._sample_rate, self._num_channels, self._frame_size_ms)

    def _take(self, frame: rtc.AudioFrame) -> None:
        self._on_first_frame()
        if self._attached:
            self._heard.send_nowait(frame)


class _Heard(aio.Chan[rtc.AudioFrame]):
    """The channel between RoomIO's input and the session, with a way out before it."""

    def __init__(self) -> None:
        super().__init__()
        self._early: list[rtc.AudioFrame] = []
        self._hear: Hear = self._early.append

    def hand_to(self, hear: Hear, empty: rtc.AudioFrame) -> None:
        # With the rate the session makes the silence after which words are final that the end of a call cut off.
        super().send_nowait(empty)
        for frame in self._early:
            hear(frame)
        self._early.clear()
        self._hear = hear

    def send_nowait(self, value: rtc.AudioFrame) -> None:
        self._hear(value)


def hear_room(source: io.AudioInput | None, hear: Hear) -> None:
    """Hand the audio of a room to somebody, if it is listened to.

    Args:
        source: the input of a session that was started with a room.
        hear: handed each frame; it must not take long.
    """
    if isinstance(source, RoomHearing):
        source.hand_to(hear)


def _unheard(frame: rtc.AudioFrame) -> None:
    """Nobody listens any more."""


# RoomIO has no setting for it: it makes its input by this name. Only calls of ours use rooms.
room_io._ParticipantAudioInputStream = RoomHearing  # type: ignore[attr-defined]
