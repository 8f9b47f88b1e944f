"""Frames of a track reach who hears the call, in their order, and no others do."""

import asyncio
import ctypes
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.rtc._ffi_client import FfiClient, FfiQueue
from livekit.rtc._proto import ffi_pb2
from livekit.rtc._proto.track_pb2 import AudioTrackFeature

from agent.call.room_hearing import RoomHearing

RATE, SAMPLES = 16_000, 512


class Library:
    """In place of the native library: it makes streams, and frames of one number each."""

    def __init__(self) -> None:
        self.queue = FfiQueue[ffi_pb2.FfiEvent]()
        self.dropped: list[int] = []
        self._pid = 0  # handles are of another process: nothing is done when they are let go
        self._ffi_lib = SimpleNamespace(livekit_ffi_drop_handle=lambda handle: self.dropped.append(handle.value))
        self._streams = 0
        self._buffers: list[Any] = []

    def request(self, asked: ffi_pb2.FfiRequest) -> ffi_pb2.FfiResponse:
        assert asked.new_audio_stream.frame_size_ms == 32
        self._streams += 1
        answer = ffi_pb2.FfiResponse()
        answer.new_audio_stream.stream.handle.id = self._streams
        return answer

    def frame(self, stream: int, number: int) -> None:
        """A frame arrives."""
        buffer = (ctypes.c_int16 * SAMPLES)(*[number] * SAMPLES)
        self._buffers.append(buffer)
        event = ffi_pb2.FfiEvent()
        event.audio_stream_event.stream_handle = stream
        owned = event.audio_stream_event.frame_received.frame
        owned.handle.id = 1000 + number
        owned.info.data_ptr = ctypes.addressof(buffer)
        owned.info.num_channels, owned.info.sample_rate, owned.info.samples_per_channel = 1, RATE, SAMPLES
        self.queue.put(event)

    def end(self, stream: int) -> None:
        """A stream ends."""
        event = ffi_pb2.FfiEvent()
        event.audio_stream_event.stream_handle = stream
        event.audio_stream_event.eos.SetInParent()
        self.queue.put(event)


class Scene:
    """A room with one participant, what is listened to of it, and what was heard."""

    def __init__(self) -> None:
        self.room = rtc.EventEmitter[str]()
        self.pre_connect = asyncio.Future[list[rtc.AudioFrame]]()
        self.hearing = RoomHearing(
            self.room,
            sample_rate=RATE,
            num_channels=1,
            frame_size_ms=32,
            noise_cancellation=None,
            auto_gain_control=False,
            pre_connect_audio_handler=SimpleNamespace(wait_for_data=lambda _: self.pre_connect),
        )
        self.heard: list[int] = []
        self.room.remote_participants = {}  # type: ignore[attr-defined]
        self.hearing.set_participant("caller")

    def hear(self, frame: rtc.AudioFrame) -> None:
        self.heard.append(frame.data[0])

    def publish(self, name: str, features: tuple[int, ...] = ()) -> None:
        """The participant has a microphone."""
        track = SimpleNamespace(
            sid=name,
            _ffi_handle=SimpleNamespace(handle=0),
            _register_audio_stream=lambda _: None,
            _unregister_audio_stream=lambda _: None,
        )
        source = rtc.TrackSource.SOURCE_MICROPHONE
        publication = SimpleNamespace(sid=name, track=track, source=source, audio_features=features)
        caller = SimpleNamespace(identity="caller", track_publications={name: publication})
        self.room.emit("track_subscribed", track, publication, caller)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setattr(FfiClient, "_instance", made)
    return made


async def test_frames_are_heard_in_the_callback_in_which_they_arrive(library: Library) -> None:
    """First those that came before anybody could hear them, and each is given back."""
    scene = Scene()
    scene.publish("TR_1")
    library.frame(1, 1)
    await settle()
    scene.hearing.hand_to(scene.hear)
    assert scene.heard == [1]
    library.frame(1, 2)
    library.frame(7, 70)  # another stream's
    await asyncio.sleep(0)
    assert scene.heard == [1, 2]
    assert library.dropped == [1001, 1002]
    library.end(1)
    await scene.hearing.aclose()


async def test_the_session_learns_the_rate_and_nothing_else(library: Library) -> None:
    """With the rate it makes silence; its iteration ends with the input."""
    scene = Scene()
    scene.publish("TR_1")
    scene.hearing.hand_to(scene.hear)
    await settle()
    library.frame(1, 1)
    await settle()
    library.end(1)
    await scene.hearing.aclose()
    given = [frame async for frame in scene.hearing]
    assert [(frame.sample_rate, frame.samples_per_channel) for frame in given] == [(RATE, 0)]


async def test_while_the_input_is_off_nothing_is_heard(library: Library) -> None:
    """Nor is it heard later."""
    scene = Scene()
    scene.publish("TR_1")
    scene.hearing.hand_to(scene.hear)
    await settle()
    scene.hearing.on_detached()
    library.frame(1, 1)
    await settle()
    scene.hearing.on_attached()
    library.frame(1, 2)
    await settle()
    assert scene.heard == [2]
    library.end(1)
    await scene.hearing.aclose()


async def test_another_track_takes_the_place_of_the_first(library: Library) -> None:
    """Half a second of silence tells that a track is over; of the old one nothing is heard after the new one."""
    scene = Scene()
    scene.hearing.hand_to(scene.hear)
    scene.publish("TR_1")
    await settle()
    library.frame(1, 1)
    await settle()
    scene.publish("TR_2")
    await settle()
    library.frame(2, 2)
    library.frame(1, 3)
    library.end(1)
    await settle()
    library.frame(2, 4)
    await settle()
    assert [number for number in scene.heard if number] == [1, 2, 4]
    library.end(2)
    await settle()
    assert scene.heard[-1] == 0
    await scene.hearing.aclose()
    assert not library.queue._subscribers


async def test_what_was_said_before_the_connection_comes_first(library: Library) -> None:
    """As long as it is awaited, frames wait."""
    scene = Scene()
    scene.hearing.hand_to(scene.hear)
    scene.publish("TR_1", (AudioTrackFeature.TF_PRECONNECT_BUFFER,))
    await settle()
    library.frame(1, 3)
    await settle()
    assert scene.heard == []
    scene.pre_connect.set_result([rtc.AudioFrame(bytes([n, 0] * SAMPLES), RATE, 1, SAMPLES) for n in (1, 2)])
    await settle()
    library.frame(1, 4)
    await settle()
    assert scene.heard == [1, 2, 3, 4]
    library.end(1)
    await scene.hearing.aclose()
