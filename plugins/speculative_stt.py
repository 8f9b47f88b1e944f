"""Makes any STT that takes whole utterances a streaming one that transcribes during the pause and ends the turn itself.

After a short silence the turn so far is transcribed; the result is a preflight transcript, which lets the model and the
speech begin, and which is thrown away when the user goes on. The final transcript comes when the turn is over:
`turn_tracker` says when, from the silence, the words and an audio model. The session therefore runs with
`turn_detection="vad"` and no endpointing delay of its own.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, Callable, Coroutine
from typing import Any, Protocol

import numpy as np
from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    APIError,
    LanguageCode,
    NotGivenOr,
    stt,
    vad,
)
from livekit.agents.utils import AudioBuffer
from numpy.typing import NDArray

from plugins.sentence_model import SentenceModel
from plugins.shared_vad import SharedVAD
from plugins.trailing_silence import with_silence
from plugins.turn_actions import (
    Action,
    AskSentence,
    AskVoice,
    Caption,
    Dropped,
    Final,
    Interrupt,
    NewSegment,
    Preflight,
    Transcribe,
)
from plugins.turn_tracker import TurnLimits, TurnTracker
from plugins.voice_model import RATE, VoiceModel

logger = logging.getLogger("plugins.speculative_stt")

EventType = stt.SpeechEventType
ATTEMPT = APIConnectOptions(max_retry=0, timeout=8.0)
# Frames that nobody needs are taken away in batches; a frame that took longer than this to come was waited for.
TAKEN_AWAY_EVERY_S = 2.0
WAITED_S = 0.002


class Surroundings(Protocol):
    """What the end of a turn depends on beside the user's own voice, and who wants to know of it."""

    def agent_is_speaking(self) -> bool:
        """Whether the agent can be heard."""

    def agent_asked(self) -> bool:
        """Whether the agent's last words were a question."""

    def interrupted(self) -> None:
        """The user says something to the agent while it speaks: it must not go on."""

    def when_free(self, act: Callable[[], None]) -> None:
        """Do something as soon as a turn of the user may be answered: at once, unless the agent must not be cut."""

    def turn_over(self, final: Final) -> None:
        """The user's turn is over; its transcript comes next."""

    def turn_dropped(self, dropped: Dropped) -> None:
        """What sounded like a turn was none."""


class Nobody:
    """No surroundings: nobody speaks, asks or wants to know."""

    def agent_is_speaking(self) -> bool:
        """See `Surroundings`."""
        return False

    def agent_asked(self) -> bool:
        """See `Surroundings`."""
        return False

    def interrupted(self) -> None:
        """See `Surroundings`."""

    def when_free(self, act: Callable[[], None]) -> None:
        """See `Surroundings`."""
        act()

    def turn_over(self, final: Final) -> None:
        """See `Surroundings`."""

    def turn_dropped(self, dropped: Dropped) -> None:
        """See `Surroundings`."""


class SpeculativeSTT(stt.STT[Any]):
    """A streaming STT over one that only recognises whole utterances.

    Args:
        recognizer: the STT that transcribes.
        voice_activity: the session's VAD, to whose events the stream listens.
        voice_model: says from the sound whether a turn is over; None to go by silence and words alone.
        sentence_model: says from the words whether a turn is over; None to go by their signs alone.
        limits: when and how often to transcribe.
    """

    def __init__(
        self,
        recognizer: stt.STT[Any],
        voice_activity: SharedVAD,
        voice_model: VoiceModel | None,
        limits: TurnLimits | None = None,
        sentence_model: SentenceModel | None = None,
    ) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.recognizer = recognizer
        self.voice_activity = voice_activity
        self.voice_model = voice_model
        self.sentence_model = sentence_model
        self.limits = limits or TurnLimits()
        self.surroundings: Surroundings = Nobody()
        recognizer.on("metrics_collected", lambda metrics: self.emit("metrics_collected", metrics))

    @property
    def model(self) -> str:
        """The model of the STT underneath."""
        return self.recognizer.model

    @property
    def provider(self) -> str:
        """The provider of the STT underneath."""
        return self.recognizer.provider

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> "SpeculativeStream":
        """Open a stream; see `livekit.agents.stt.STT.stream`."""
        return SpeculativeStream(self, language, conn_options)

    async def aclose(self) -> None:
        """Close the STT underneath."""
        await self.recognizer.aclose()

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        return await self.recognizer.recognize(buffer, language=language, conn_options=conn_options)


class Unheard:
    """Audio for a stream that has its own: taken away now and then, and never given.

    The session puts every frame there, and who waits for frames is woken for each.
    """

    def __init__(self, audio: AsyncIterable[rtc.AudioFrame]) -> None:
        self._audio = audio

    def __aiter__(self) -> "Unheard":
        return self

    async def __anext__(self) -> rtc.AudioFrame:
        """Waits for the end of the audio."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        async for _ in self._audio:
            if loop.time() - since > WAITED_S:  # so there was none left
                await asyncio.sleep(TAKEN_AWAY_EVERY_S)
            since = loop.time()
        raise StopAsyncIteration


class _Segment:
    """The audio of the segment that is being heard, and how much has passed since the last turn."""

    def __init__(self) -> None:
        self.frames: list[rtc.AudioFrame] = []
        self._since_last_turn = float("inf")

    def begin(self, heard: list[rtc.AudioFrame]) -> None:
        """Take over what was heard before the speech was recognised as such, but nothing of the turn before."""
        self.frames = [_tail(frame, self._since_last_turn) for frame in heard]

    def window(self, frames: list[rtc.AudioFrame], seconds: float, *, wanted: bool) -> None:
        """A further window of audio."""
        self._since_last_turn += seconds
        if wanted:
            self.frames.extend(frames)

    def end_turn(self) -> None:
        """The turn is over."""
        self.frames = []
        self._since_last_turn = 0.0

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return sum(frame.duration for frame in self.frames)


class SpeculativeStream(stt.RecognizeStream):
    """The stream of `SpeculativeSTT`."""

    def __init__(self, owner: SpeculativeSTT, language: NotGivenOr[str], conn_options: APIConnectOptions) -> None:
        super().__init__(stt=owner, conn_options=conn_options)
        self._owner = owner
        self._language = language
        self._tracker = TurnTracker(owner.limits)
        self._segment = _Segment()
        self._tasks: set[asyncio.Task[None]] = set()
        # What the recogniser took the latest words for, when it tells.
        self._heard_language = language if isinstance(language, str) else ""
        self._transcriptions: dict[int, asyncio.Task[None]] = {}

    async def _run(self) -> None:
        try:
            await self._owner.voice_activity.tell(self._take)
        finally:
            self._cancel_tasks()

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        """The audio comes with the events of the VAD; what the session pushes besides is the same."""

    def _take(self, event: vad.VADEvent) -> None:
        if event.type is vad.VADEventType.START_OF_SPEECH and not self._tracker.open:
            self._segment.begin(event.frames)
            around = self._owner.surroundings
            self._tracker.begin(
                over_agent=around.agent_is_speaking(),
                agent_asked=around.agent_asked(),
                seconds=self._segment.seconds,
            )
        elif event.type is vad.VADEventType.INFERENCE_DONE:
            seconds = sum(frame.duration for frame in event.frames)
            self._segment.window(event.frames, seconds, wanted=self._tracker.open)
            if self._tracker.open:
                self._do(self._tracker.window(seconds, event.probability))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Transcribe(attempt, silence):
                    heard = with_silence(self._segment.frames, silence, self._owner.limits.heard_pause)
                    self._transcriptions[attempt] = self._spawn(self._transcribe(attempt, heard))
                case AskVoice(attempt):
                    self._ask_voice(attempt)
                case AskSentence(attempt, text):
                    self._ask_sentence(attempt, text)
                case NewSegment():
                    self._segment.frames = []
                case Caption(text):
                    self._emit(EventType.INTERIM_TRANSCRIPT, text)
                case Preflight(text):
                    self._emit(EventType.PREFLIGHT_TRANSCRIPT, text)
                case Interrupt():
                    self._owner.surroundings.interrupted()
                case Final() | Dropped():
                    self._end_turn(action)
        self._cancel_unwanted()

    def _end_turn(self, end: Final | Dropped) -> None:
        around = self._owner.surroundings
        if isinstance(end, Final):
            around.when_free(lambda: self._tell(end))
        else:
            around.turn_dropped(end)
        self._segment.end_turn()
        self._cancel_tasks()

    def _tell(self, final: Final) -> None:
        if not self._event_ch.closed:
            self._owner.surroundings.turn_over(final)
            self._emit(EventType.FINAL_TRANSCRIPT, final.text)

    async def _transcribe(self, attempt: int, frames: list[rtc.AudioFrame]) -> None:
        try:
            heard = await self._owner.recognizer.recognize(frames, language=self._language, conn_options=ATTEMPT)
        except APIError as error:
            logger.warning("a transcription failed: %s", type(error).__name__)
            text = None
        else:
            text = heard.alternatives[0].text.strip() if heard.alternatives else ""
            if text:
                self._heard_language = heard.alternatives[0].language or self._heard_language
        self._do(self._tracker.transcript(attempt, text))

    def _ask_voice(self, attempt: int) -> None:
        if (model := self._owner.voice_model) is not None and self._segment.frames:
            self._spawn(self._hear_voice(model, attempt, _samples(self._segment.frames, seconds=1.3)))

    async def _hear_voice(self, model: VoiceModel, attempt: int, samples: NDArray[np.int16]) -> None:
        self._do(self._tracker.voice(attempt, await model.probability(samples)))

    def _ask_sentence(self, attempt: int, text: str) -> None:
        if (model := self._owner.sentence_model) is None:
            self._do(self._tracker.sentence(attempt, None))
        else:
            self._spawn(self._read_sentence(model, attempt, text))

    async def _read_sentence(self, model: SentenceModel, attempt: int, text: str) -> None:
        self._do(self._tracker.sentence(attempt, await model.unfinished(text)))

    def _emit(self, kind: stt.SpeechEventType, text: str) -> None:
        language = LanguageCode(self._heard_language)
        self._event_ch.send_nowait(stt.SpeechEvent(type=kind, alternatives=[stt.SpeechData(language, text)]))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _cancel_unwanted(self) -> None:
        """A transcription whose result matters no more would only keep the recogniser from the one that does."""
        for attempt, task in list(self._transcriptions.items()):
            if not self._tracker.wants(attempt):
                del self._transcriptions[attempt]
                if task is not asyncio.current_task():
                    task.cancel()

    def _cancel_tasks(self) -> None:
        """Nothing of a turn that is over matters any more, but for the task that has just ended it."""
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()


def _tail(frame: rtc.AudioFrame, seconds: float) -> rtc.AudioFrame:
    if frame.duration <= seconds:
        return frame
    samples = np.frombuffer(frame.data, np.int16)[-int(seconds * frame.sample_rate) * frame.num_channels :]
    return rtc.AudioFrame(samples.tobytes(), frame.sample_rate, frame.num_channels, len(samples) // frame.num_channels)


def _samples(frames: list[rtc.AudioFrame], seconds: float) -> NDArray[np.int16]:
    """The end of the audio, mono at the rate of the audio model."""
    needed: list[NDArray[np.int16]] = []
    total = 0.0
    for frame in reversed(frames):
        needed.append(np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)[:, 0])
        total += frame.duration
        if total >= seconds:
            break
    samples = np.concatenate(needed[::-1])
    rate = frames[-1].sample_rate
    if rate == RATE:
        return samples
    at = np.arange(0, len(samples), rate / RATE)
    resampled: NDArray[np.int16] = np.interp(at, np.arange(len(samples)), samples).astype(np.int16)
    return resampled
