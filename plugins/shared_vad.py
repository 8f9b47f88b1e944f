"""One pass of voice activity detection for everybody in a call who needs it.

The session opens a stream for itself and, with a streaming STT, another one would run beside it over the same audio.
Here the session's stream is the only one that computes; others are told of its events. It computes where the audio is
pushed: Silero takes less time for a window than a thread and further tasks take to be woken for it
(docs/livekit-agents.md has the figures). A window without speech changes nothing in the session: of it the others alone
are told, and no task is woken.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from livekit import rtc
from livekit.agents import vad
from livekit.agents.utils import aio
from livekit.local_inference import VAD

from plugins.speech_finder import SpeechFinder, SpeechRules
from plugins.windows import WINDOW_S, Windows

logger = logging.getLogger("plugins.shared_vad")


@dataclass(frozen=True, slots=True)
class _Listener:
    """Who is told of events, in its own context and not in the session's."""

    take: Callable[[vad.VADEvent], None]
    failed: asyncio.Future[None]
    context: Context = field(default_factory=copy_context)


class SharedVAD(vad.VAD):
    """Silero as compiled into livekit-local-inference, whose events others may listen to.

    Args:
        rules: when somebody speaks.
    """

    def __init__(self, rules: SpeechRules | None = None) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=WINDOW_S))
        self.rules = rules or SpeechRules()
        self._listeners: list[_Listener] = []
        self._stream: SharedVADStream | None = None

    @property
    def model(self) -> str:
        """See `livekit.agents.vad.VAD`."""
        return "silero"

    @property
    def provider(self) -> str:
        """See `livekit.agents.vad.VAD`."""
        return "livekit-local-inference"

    def stream(self) -> "SharedVADStream":
        """The stream for the owner of the audio; its events go to all listeners."""
        self._stream = SharedVADStream(self)
        return self._stream

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        """Give the newest stream a frame; where none is open, nobody hears."""
        if self._stream is not None and not self._stream.closed:
            self._stream.push_frame(frame)

    async def tell(self, take: Callable[[vad.VADEvent], None]) -> None:
        """Tell somebody of the events of whatever stream is open, from now on and until cancelled.

        Raises:
            Exception: what `take` raises; the others and the owner are told further events all the same.
        """
        listener = _Listener(take, asyncio.get_running_loop().create_future())
        self._listeners.append(listener)
        try:
            await listener.failed
        finally:
            self._listeners.remove(listener)

    def publish(self, event: vad.VADEvent) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            if listener.failed.done():
                continue
            try:
                listener.context.run(listener.take, event)
            except Exception as error:  # noqa: BLE001 - `tell` raises it
                listener.failed.set_exception(error)


@dataclass(frozen=True, slots=True)
class _Hearing:
    """What has been heard since the beginning or the last flush."""

    windows: Windows
    finder: SpeechFinder


class SharedVADStream(vad.VADStream):
    """The stream of `SharedVAD`; it emits no metrics."""

    def __init__(self, shared: SharedVAD) -> None:
        super().__init__(shared)
        self._shared = shared
        self._silero = VAD()
        self._hearing: _Hearing | None = None
        self._events = aio.Chan[vad.VADEvent]()
        self._given: vad.VADEvent | None = None

    async def _main_task(self) -> None:
        """Nothing to do beside `push_frame`; with this task the library's own for metrics ends."""

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        """Find out at once what a frame tells."""
        self._check_open()
        hearing = self._hearing or self._begin(frame.sample_rate)
        if frame.sample_rate != hearing.windows.rate:
            logger.error("a frame has another sample rate than the first")
            return
        for window in hearing.windows.push(frame):
            began = time.perf_counter()
            probability = self._silero.predict(window.samples)
            for event in hearing.finder.window(window.frame, probability, time.perf_counter() - began):
                if _matters(event) or self._given is not None or not self._events.empty():
                    self._events.send_nowait(event)
                else:
                    self._shared.publish(event)

    @property
    def closed(self) -> bool:
        """Whether it takes no more audio."""
        return self._events.closed

    def flush(self) -> None:
        """Forget what was heard: the next frame begins anew."""
        self._check_open()
        if self._hearing is not None:
            self._begin(self._hearing.windows.rate)

    def end_input(self) -> None:
        """No more audio comes; events that nobody has taken yet can still be."""
        self._check_open()
        self._events.close()

    async def aclose(self) -> None:
        """Close the stream."""
        self._events.close()
        await super().aclose()

    async def __anext__(self) -> vad.VADEvent:
        """The next event that matters to the owner; who asks for it has dealt with the one before."""
        if self._given is not None:
            # The owner first: when a listener acts on an end of speech, the session knows of it.
            given, self._given = self._given, None
            self._shared.publish(given)
        while not _matters(event := await self._events.__anext__()):
            self._shared.publish(event)
        self._given = event
        return event

    def _begin(self, rate: int) -> _Hearing:
        self._silero.reset()
        self._hearing = _Hearing(Windows(rate), SpeechFinder(self._shared.rules, rate))
        return self._hearing

    def _check_open(self) -> None:
        if self._events.closed:
            raise RuntimeError("the stream is closed")


def _matters(event: vad.VADEvent) -> bool:
    """Whether it can change anything in the session: of windows only those do in which somebody speaks or just did."""
    return event.type is not vad.VADEventType.INFERENCE_DONE or event.speaking or event.raw_accumulated_speech > 0.0
