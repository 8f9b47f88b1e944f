"""Audio that nobody needs is taken away without a wake-up for each frame."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    AgentSession,
    APIConnectOptions,
    LanguageCode,
    NotGivenOr,
    UserInputTranscribedEvent,
    stt,
)
from livekit.agents.utils import AudioBuffer, aio

from agent.brains.assistant import Assistant
from plugins.shared_vad import SharedVAD
from plugins.speculative_stt import SpeculativeStream, SpeculativeSTT, Unheard
from plugins.speech_finder import SpeechRules
from tests.providers.session import Microphone
from tests.support.recordings import RECORDINGS


class Words(stt.STT[Any]):
    """Whatever is said is "Six."; as a stream it says so at the first frame."""

    def __init__(self, *, streaming: bool) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=streaming, interim_results=False))

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        return six()

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> "WordsStream":
        return WordsStream(stt=self, conn_options=conn_options)


class WordsStream(stt.RecognizeStream):
    async def _run(self) -> None:
        await anext(self._input_ch)
        self._event_ch.send_nowait(six())
        await asyncio.Event().wait()


def six() -> stt.SpeechEvent:
    return stt.SpeechEvent(
        stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[stt.SpeechData(LanguageCode("en"), "Six.")]
    )


@asynccontextmanager
async def heard(hears: stt.STT[Any], shared: SharedVAD) -> AsyncIterator[list[str]]:
    """A session in which somebody has said something, and the words that it had in the end."""
    session = AgentSession[None](
        stt=hears, vad=shared, turn_handling={"turn_detection": "vad"}, aec_warmup_duration=None
    )
    finals: list[str] = []
    arrived = asyncio.Event()

    def take(event: UserInputTranscribedEvent) -> None:
        if event.is_final:
            finals.append(event.transcript)
            arrived.set()

    session.on("user_input_transcribed", take)
    microphone = Microphone()
    microphone.say(RECORDINGS["volunteer_six"].load()[0])
    session.input.audio = microphone
    await session.start(Assistant("Answer."), record=False)
    try:
        await asyncio.wait_for(arrived.wait(), 30)
        yield finals
    finally:
        await session.aclose()


async def test_who_listens_to_the_vad_is_given_no_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words come all the same."""
    pushed: list[rtc.AudioFrame] = []
    monkeypatch.setattr(SpeculativeStream, "push_frame", lambda _, frame: pushed.append(frame))
    shared = SharedVAD(SpeechRules(min_silence=0.2))
    async with heard(SpeculativeSTT(Words(streaming=False), shared, None), shared) as words:
        assert words == ["Six."]
    assert not pushed


async def test_another_stt_is_given_its_frames() -> None:
    """An agent of ours may be used with any."""
    async with heard(Words(streaming=True), SharedVAD()) as words:
        assert words == ["Six."]


async def nothing_of(audio: aio.Chan[rtc.AudioFrame]) -> list[rtc.AudioFrame]:
    return [frame async for frame in Unheard(audio)]


async def test_frames_do_not_heap_up_and_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """They come as in a call, each after a while; the end of the audio is the end."""
    monkeypatch.setattr("plugins.speculative_stt.TAKEN_AWAY_EVERY_S", 0.03)
    audio = aio.Chan[rtc.AudioFrame]()
    task = asyncio.create_task(nothing_of(audio))
    most = 0
    for _ in range(40):
        audio.send_nowait(rtc.AudioFrame(bytes(1024), 16_000, 1, 512))
        most = max(most, audio.qsize())
        await asyncio.sleep(0.005)
    assert 1 < most < 40
    audio.close()
    assert await asyncio.wait_for(task, 10) == []
    assert audio.qsize() == 0
