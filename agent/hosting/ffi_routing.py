"""In a process with several calls, what LiveKit's native library has to say goes to the call that it is about.

The Python SDK (livekit 1.x) offers each event to everybody who listens in the process; those whose it is not throw it
away, each in its own event loop. A frame of audio would wake all calls, so that the work would grow with the square of
their number. Here an event wakes the loop only that asked for it. Whose it is is not always known, as an answer may be
faster than the return of the question: then everybody is offered it, as before.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

from livekit.rtc._ffi_client import FfiClient, FfiQueue, get_ffi_lib
from livekit.rtc._proto import ffi_pb2

# The requests that make a stream of audio, whose events bear its handle.
STREAMS = ("new_audio_stream", "audio_stream_from_participant")
# The function of the native library that starts it.
START = "livekit_ffi_initialize"
# So many questions may be without an answer; the oldest of more are forgotten, and their answers offered to all.
MOST_OPEN = 10_000

Loop = asyncio.AbstractEventLoop


class Owners:
    """Which event loop asked for what; used by the threads of all calls and by the native library's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[int, Loop] = {}
        self._streams: dict[int, Loop] = {}
        self._rooms: dict[int, Loop] = {}

    def asked(self, kind: str, response: ffi_pb2.FfiResponse, loop: Loop) -> None:
        """A loop has asked something of this kind, and this was answered at once.

        Args:
            kind: the member of the request and of the response.
            response: it holds the number under which the real answer comes, or the handle of a stream.
            loop: who asked.
        """
        answer = getattr(response, kind, None)
        if kind in STREAMS and answer is not None:
            with self._lock:
                self._streams[answer.stream.handle.id] = loop
        elif (number := getattr(answer, "async_id", 0)) != 0:
            with self._lock:
                self._asked[number] = loop
                if len(self._asked) > MOST_OPEN:
                    del self._asked[next(iter(self._asked))]

    def owner_of(self, event: ffi_pb2.FfiEvent) -> Loop | None:
        """Whose an event is; None: everybody is offered it."""
        kind = event.WhichOneof("message")
        with self._lock:
            if kind == "audio_stream_event":
                return self._of_stream(event.audio_stream_event.stream_handle, event.audio_stream_event.HasField("eos"))
            if kind == "room_event":
                return self._of_room(event.room_event.room_handle, event.room_event.HasField("eos"))
            number = getattr(getattr(event, kind, None), "async_id", 0) if kind else 0
            owner = self._asked.pop(number, None)
            if owner is not None and kind == "connect" and event.connect.HasField("result"):
                self._rooms[event.connect.result.room.handle.id] = owner
            return owner

    def _of_stream(self, handle: int, ends: bool) -> Loop | None:
        return self._streams.pop(handle, None) if ends else self._streams.get(handle)

    def _of_room(self, handle: int, ends: bool) -> Loop | None:
        return self._rooms.pop(handle, None) if ends else self._rooms.get(handle)


class RoutedQueue(FfiQueue[ffi_pb2.FfiEvent]):
    """The SDK's queue of events, each for its owner alone where that is known."""

    def __init__(self, owners: Owners) -> None:
        super().__init__()
        self._owners = owners

    def put(self, item: ffi_pb2.FfiEvent) -> None:
        """Offer an event to those who listen in its owner's loop."""
        owner = self._owners.owner_of(item)
        if owner is None:
            super().put(item)
            return
        with self._lock:
            for queue, loop, wanted in self._subscribers:
                if loop is owner and not loop.is_closed() and (wanted is None or wanted(item)):
                    loop.call_soon_threadsafe(queue.put_nowait, item)


class _WithoutLogs:
    """The native library's function that starts it, told to keep its log to itself.

    It would send each record, of any level, as an event of its own, fifty a second and call, for Python to throw away
    all but warnings; that is three per cent of what a call costs. What is lost with them the room's events tell, too.
    """

    def __init__(self, start: Callable[..., None]) -> None:
        self._start = start
        self.argtypes: list[Any] = []

    def __call__(self, callback: object, capture_logs: bool, *rest: object) -> None:
        self._start(callback, False, *rest)


class RoutingClient(FfiClient):
    """The SDK's client of the native library, which remembers who asked."""

    def __init__(self) -> None:
        library = get_ffi_lib()
        setattr(library, START, _WithoutLogs(getattr(library, START)))
        super().__init__()
        self._owners = Owners()
        self._queue = RoutedQueue(self._owners)

    def request(self, req: ffi_pb2.FfiRequest) -> ffi_pb2.FfiResponse:
        """Ask the native library."""
        response = super().request(req)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return response  # asked from outside a loop: everybody may be offered what comes of it
        self._owners.asked(req.WhichOneof("message") or "", response, loop)
        return response


def route_events() -> None:
    """From now on the events of this process go to their owners; before the first call.

    Raises:
        RuntimeError: the native library is in use already.
    """
    if FfiClient._instance is not None and FfiClient._instance._pid == os.getpid():
        raise RuntimeError("events can be routed only before the first call")
    FfiClient._instance = RoutingClient()
