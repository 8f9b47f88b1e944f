"""Makes any STT that takes whole utterances a streaming one that transcribes during the pause.

After a short silence the utterance so far is transcribed; the result is a preflight transcript, which lets the model
and the speech begin, and which is thrown away when the user goes on. While the user speaks, the utterance so far is
transcribed from time to time for the live caption. The attempts of one utterance are bounded.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, APIError, NotGivenOr, stt, vad
from livekit.agents.utils import AudioBuffer

EventType = stt.SpeechEventType


@dataclass(frozen=True, slots=True)
class SpeculationLimits:
    """When the utterance so far is transcribed; durations in seconds."""

    pause: float = 0.15
    caption_every: float = 1.2
    attempts: int = 12
    longest_utterance: float = 60.0


class SpeculativeSTT(stt.STT[Any]):
    """A streaming STT over one that only recognises whole utterances.

    Args:
        recognizer: the STT that transcribes.
        voice_activity: finds speech and pauses in the stream.
        limits: when and how often to transcribe before the end of an utterance.
    """

    def __init__(
        self, recognizer: stt.STT[Any], voice_activity: vad.VAD, limits: SpeculationLimits | None = None
    ) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.recognizer = recognizer
        self.voice_activity = voice_activity
        self.limits = limits or SpeculationLimits()

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


@dataclass(slots=True)
class _Utterance:
    """What has been heard since the start of speech, and what was made of it so far."""

    frames: list[rtc.AudioFrame]
    started_at: float = field(default_factory=time.monotonic)
    attempts: int = 0
    preflight: asyncio.Task[stt.SpeechEvent | None] | None = None
    caption: asyncio.Task[stt.SpeechEvent | None] | None = None
    captioned_at: float = field(default_factory=time.monotonic)

    @property
    def duration(self) -> float:
        return sum(frame.duration for frame in self.frames)


class SpeculativeStream(stt.RecognizeStream):
    """The stream of `SpeculativeSTT`."""

    def __init__(self, owner: SpeculativeSTT, language: NotGivenOr[str], conn_options: APIConnectOptions) -> None:
        super().__init__(stt=owner, conn_options=conn_options)
        self._owner = owner
        self._language = language
        self._recognition_options = conn_options

    async def _run(self) -> None:
        activity = self._owner.voice_activity.stream()
        utterance: _Utterance | None = None
        feeder = asyncio.create_task(self._feed(activity))
        try:
            async for event in activity:
                if event.type is vad.VADEventType.START_OF_SPEECH:
                    utterance = _Utterance(list(event.frames))
                    self._emit(EventType.START_OF_SPEECH)
                elif event.type is vad.VADEventType.INFERENCE_DONE and utterance is not None:
                    utterance.frames.extend(event.frames)
                    self._speculate(utterance, event)
                elif event.type is vad.VADEventType.END_OF_SPEECH and utterance is not None:
                    self._emit(EventType.END_OF_SPEECH)
                    await self._finish(utterance, event)
                    utterance = None
        finally:
            feeder.cancel()
            if utterance is not None:
                _cancel(utterance)
            await activity.aclose()

    async def _feed(self, activity: vad.VADStream) -> None:
        async for item in self._input_ch:
            if isinstance(item, rtc.AudioFrame):
                activity.push_frame(item)
            else:
                activity.flush()
        activity.end_input()

    def _speculate(self, utterance: _Utterance, event: vad.VADEvent) -> None:
        limits = self._owner.limits
        if event.raw_accumulated_silence >= limits.pause:
            if utterance.preflight is None and self._may_try(utterance):
                utterance.preflight = self._try(utterance, EventType.PREFLIGHT_TRANSCRIPT)
        elif event.raw_accumulated_speech > 0:
            if utterance.preflight is not None:
                utterance.preflight.cancel()
                utterance.preflight = None
            now = time.monotonic()
            idle = utterance.caption is None or utterance.caption.done()
            if idle and now - utterance.captioned_at >= limits.caption_every and self._may_try(utterance):
                utterance.captioned_at = now
                utterance.caption = self._try(utterance, EventType.INTERIM_TRANSCRIPT)

    def _may_try(self, utterance: _Utterance) -> bool:
        limits = self._owner.limits
        return utterance.attempts < limits.attempts and utterance.duration <= limits.longest_utterance

    def _try(self, utterance: _Utterance, kind: stt.SpeechEventType) -> "asyncio.Task[stt.SpeechEvent | None]":
        utterance.attempts += 1
        return asyncio.create_task(self._recognize(list(utterance.frames), kind))

    async def _recognize(self, frames: list[rtc.AudioFrame], kind: stt.SpeechEventType) -> stt.SpeechEvent | None:
        """An attempt that fails costs nothing but itself: the final transcript is asked for again."""
        try:
            heard = await self._owner.recognizer.recognize(
                frames, language=self._language, conn_options=APIConnectOptions(max_retry=0, timeout=5.0)
            )
        except APIError:
            return None
        if heard.alternatives and heard.alternatives[0].text:
            self._event_ch.send_nowait(stt.SpeechEvent(type=kind, alternatives=heard.alternatives))
        return heard

    async def _finish(self, utterance: _Utterance, event: vad.VADEvent) -> None:
        if utterance.caption is not None:
            utterance.caption.cancel()
        heard = await utterance.preflight if utterance.preflight is not None else None
        if heard is None:
            heard = await self._owner.recognizer.recognize(
                event.frames, language=self._language, conn_options=self._recognition_options
            )
        self._event_ch.send_nowait(stt.SpeechEvent(type=EventType.FINAL_TRANSCRIPT, alternatives=heard.alternatives))

    def _emit(self, kind: stt.SpeechEventType) -> None:
        self._event_ch.send_nowait(stt.SpeechEvent(type=kind))


def _cancel(utterance: _Utterance) -> None:
    for task in (utterance.preflight, utterance.caption):
        if task is not None:
            task.cancel()
