"""Events of the native library wake the call that they are about, and no other one."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest
from livekit.rtc._proto import ffi_pb2

from agent.hosting.ffi_routing import MOST_OPEN, Owners, RoutedQueue

# Sound is played into nothing, once the events of the library are routed. What is told of the thread of each event.
PLAYED = """
import asyncio
from livekit import rtc
from livekit.rtc import _ffi_client
from agent.hosting import ffi_routing

async def play():
    ffi_routing.route_events()
    queue, known = _ffi_client.FfiClient.instance.queue, set()
    put = queue.put
    queue.put = lambda event: (known.add(hasattr(ffi_routing._known, "thread")), put(event))
    _ffi_client.ffi_event_callback = None  # the SDK's own is not called
    source = rtc.AudioSource(24_000, 1)
    for _ in range(20):
        await source.capture_frame(rtc.AudioFrame(bytes(480), 24_000, 1, 240))
    await source.aclose()
    print(known)

asyncio.run(play())
"""


class Calls:
    """Two calls in one process, each listening in a loop of its own."""

    def __init__(self) -> None:
        self.owners = Owners()
        self.queue = RoutedQueue(self.owners)
        self.loops = (asyncio.new_event_loop(), asyncio.new_event_loop())
        self.inboxes = [self.queue.subscribe(loop) for loop in self.loops]

    def told(self, event: ffi_pb2.FfiEvent) -> list[bool]:
        """Which of them an event wakes."""
        self.queue.put(event)
        for loop in self.loops:
            loop.run_until_complete(asyncio.sleep(0))
        woken = [not inbox.empty() for inbox in self.inboxes]
        for inbox in self.inboxes:
            while not inbox.empty():
                inbox.get_nowait()
        return woken


@pytest.fixture
def calls() -> Iterator[Calls]:
    made = Calls()
    yield made
    for loop in made.loops:
        loop.close()


def frame(handle: int, *, last: bool = False) -> ffi_pb2.FfiEvent:
    event = ffi_pb2.FfiEvent()
    event.audio_stream_event.stream_handle = handle
    if last:
        event.audio_stream_event.eos.SetInParent()
    else:
        event.audio_stream_event.frame_received.SetInParent()
    return event


def captured(number: int) -> ffi_pb2.FfiEvent:
    event = ffi_pb2.FfiEvent()
    event.capture_audio_frame.async_id = number
    return event


def in_room(handle: int) -> ffi_pb2.FfiEvent:
    event = ffi_pb2.FfiEvent()
    event.room_event.room_handle = handle
    event.room_event.reconnected.SetInParent()
    return event


@pytest.mark.parametrize("kind", ["new_audio_stream", "audio_stream_from_participant"])
def test_a_frame_of_audio_wakes_the_call_that_listens_to_it(calls: Calls, kind: str) -> None:
    """However the stream was made."""
    for number, loop in enumerate(calls.loops):
        made = ffi_pb2.FfiResponse()
        getattr(made, kind).stream.handle.id = 10 + number
        calls.owners.asked(kind, made, loop)
    assert calls.told(frame(10)) == [True, False]
    assert calls.told(frame(11)) == [False, True]
    assert calls.told(frame(11, last=True)) == [False, True]


def test_who_begins_to_listen_late_hears_the_rest(calls: Calls) -> None:
    """Who hears a stream is found out once, until somebody begins or ends to listen."""
    made = ffi_pb2.FfiResponse()
    made.new_audio_stream.stream.handle.id = 10
    calls.owners.asked("new_audio_stream", made, calls.loops[0])
    assert calls.told(frame(10)) == [True, False]
    first, calls.inboxes[0] = calls.inboxes[0], calls.queue.subscribe(calls.loops[0])
    assert calls.told(frame(10)) == [True, False]
    assert first.qsize() == 1
    calls.queue.unsubscribe(calls.inboxes[0])
    assert calls.told(frame(10)) == [False, False]
    assert first.qsize() == 2


def test_an_answer_wakes_whoever_asked(calls: Calls) -> None:
    """Once: a number is of one question."""
    asked = ffi_pb2.FfiResponse()
    asked.capture_audio_frame.async_id = 7
    calls.owners.asked("capture_audio_frame", asked, calls.loops[1])
    assert calls.told(captured(7)) == [False, True]


def test_what_happens_in_a_room_wakes_the_call_that_joined_it(calls: Calls) -> None:
    """From the answer to its question on."""
    asked = ffi_pb2.FfiResponse()
    asked.connect.async_id = 8
    calls.owners.asked("connect", asked, calls.loops[0])
    joined = ffi_pb2.FfiEvent()
    joined.connect.async_id = 8
    joined.connect.result.room.handle.id = 80
    assert calls.told(joined) == [True, False]
    assert calls.told(in_room(80)) == [True, False]


def test_whose_is_not_known_everybody_is_offered(calls: Calls) -> None:
    """An answer may come before the question has returned: nobody must miss it."""
    assert calls.told(captured(9)) == [True, True]
    assert calls.told(frame(12)) == [True, True]
    assert calls.told(in_room(81)) == [True, True]


def test_a_call_that_has_ended_disturbs_nobody(calls: Calls) -> None:
    """Its loop is closed; what was meant for it is nobody's."""
    made = ffi_pb2.FfiResponse()
    made.new_audio_stream.stream.handle.id = 13
    over = asyncio.new_event_loop()
    calls.queue.subscribe(over)
    over.close()
    calls.owners.asked("new_audio_stream", made, over)
    assert calls.told(frame(13)) == [False, False]


def test_questions_without_an_answer_are_not_remembered_for_ever(calls: Calls) -> None:
    """The oldest is forgotten, and its answer offered to all."""
    for number in range(1, MOST_OPEN + 2):
        asked = ffi_pb2.FfiResponse()
        asked.publish_data.async_id = number
        calls.owners.asked("publish_data", asked, calls.loops[0])
    event = ffi_pb2.FfiEvent()
    event.publish_data.async_id = 1
    assert calls.told(event) == [True, True]
    event.publish_data.async_id = 2
    assert calls.told(event) == [True, False]


def test_the_threads_of_the_library_stay_known_to_python() -> None:
    """With the library itself: its events come by our callback, and the process ends as it should."""
    ran = subprocess.run([sys.executable, "-c", PLAYED], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "{True}\n", "")
