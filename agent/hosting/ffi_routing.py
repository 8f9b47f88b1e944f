"""In a process with several calls, what LiveKit's native library has to say goes to the call that it is about.

The Python SDK (livekit 1.1.21) offers each event to everybody who listens in the process; those whose it is not throw
it away, each in its own event loop. A frame of audio would wake all calls, so that the work would grow with the square
of their number. Here an event wakes the loop only that asked for it. Whose it is is not always known, as an answer may
be faster than the return of the question: then everybody is offered it, as before.
"""

import asyncio
import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any

from livekit.rtc import _ffi_client
from livekit.rtc._ffi_client import FfiClient, FfiQueue, ffi_cb_fnc, ffi_event_callback
from livekit.rtc._proto import ffi_pb2
from livekit.rtc._utils import Queue

# The requests that make a stream of audio, whose events bear its handle.
STREAMS = ("new_audio_stream", "audio_stream_from_participant")
# The function of the native library that starts it.
START = "livekit_ffi_initialize"
# So many questions may be without an answer; the oldest of more are forgotten, and their answers offered to all.
MOST_OPEN = 10_000

Loop = asyncio.AbstractEventLoop
Inbox = Queue[ffi_pb2.FfiEvent]
Wanted = Callable[[ffi_pb2.FfiEvent], bool]


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
        # Who is offered the frames of a stream, by its handle: they are most of all events.
        self._hearing: dict[int, list[tuple[Inbox, Loop]]] = {}

    def put(self, item: ffi_pb2.FfiEvent) -> None:
        """Offer an event to those who listen in its owner's loop."""
        told = item.audio_stream_event
        is_frame = told.HasField("frame_received")
        listeners = self._hearing.get(told.stream_handle) if is_frame else None
        if listeners is None:
            owner = self._owners.owner_of(item)
            if owner is None:
                super().put(item)
                return
            with self._lock:
                listeners = [
                    (queue, loop)
                    for queue, loop, wanted in self._subscribers
                    if loop is owner and (wanted is None or wanted(item))
                ]
                if is_frame:
                    self._hearing[told.stream_handle] = listeners
        for queue, loop in listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, item)

    def subscribe(self, loop: Loop | None = None, filter_fn: Wanted | None = None) -> Inbox:
        """See `FfiQueue`."""
        with self._lock:
            self._hearing.clear()
            return super().subscribe(loop, filter_fn)

    def unsubscribe(self, queue: Inbox) -> None:
        """See `FfiQueue`."""
        with self._lock:
            self._hearing.clear()
            super().unsubscribe(queue)


_known = threading.local()


def _on_event(data: Any, length: int) -> None:
    """An event of the native library, on a thread of its own.

    Python makes a state for a thread that it does not know, for one callback, with memory that it gives back: a third
    of what an event costs. Who asks for the thread once more than he gives it back keeps it known. That is safe: the
    threads are those of the native library's pool, as many as there are cores, and one of its own for sound, which live
    until the library ends; it ends at the exit of the interpreter before the states do, and whoever ends by `os._exit`
    frees nothing. Should a thread end before, its state (some 20 kB) stays, unused, until the exit. After a fork the
    child throws away the states of all threads but its own, known or not, and starts the library anew.
    """
    if not hasattr(_known, "thread"):
        ctypes.pythonapi.PyGILState_Ensure()
        _known.thread = True
    event = ffi_pb2.FfiEvent.FromString(ctypes.string_at(data, length))
    if event.HasField("panic"):
        ffi_event_callback(data, length)
    else:
        FfiClient._instance.queue.put(event)  # type: ignore[union-attr]  # it is what started the library


# Never let go: the library calls it as long as the process lives.
_ON_EVENT = ffi_cb_fnc(_on_event)


class _Start:
    """The native library's function that starts it, given our callback and told to keep its log to itself.

    It would send each record, of any level, as an event of its own, fifty a second and call, for Python to throw away
    all but warnings; that is three per cent of what a call costs. What is lost with them the room's events tell, too.
    """

    def __init__(self, start: Callable[..., None]) -> None:
        self._start = start
        self.argtypes: list[Any] = []

    def __call__(self, callback: object, capture_logs: bool, *rest: object) -> None:
        self._start(_ON_EVENT, False, *rest)


class RoutingClient(FfiClient):
    """The SDK's client of the native library, which remembers who asked."""

    def __init__(self) -> None:
        library = _ffi_client.get_ffi_lib()
        setattr(library, START, _Start(getattr(library, START)))
        load = _ffi_client.get_ffi_lib
        _ffi_client.get_ffi_lib = lambda: library  # loaded once more, its functions would be others
        try:
            super().__init__()
        finally:
            _ffi_client.get_ffi_lib = load
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
