"""Models that answer after a stated time, for `--fast`: what they answer is real, how long it takes is agreed on.

Each model works in a thread of its own, in real time, while virtual time stands still; so it may be a local engine or
one behind HTTP. The stated time passes before the model is asked, so that an attempt that is thrown away costs nothing,
and the same sound is not transcribed twice.
"""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr, llm, stt, tts
from livekit.agents.llm import ToolChoice
from livekit.agents.utils import AudioBuffer

from agent.models import ModelSource
from agent.models.speech_speed import Adjustable
from agent.settings import ModelRef
from plugins.sentence_model import SentenceModel

Result = TypeVar("Result")
# Transcripts by model, and by what the sound hashes to.
Heard = dict[str, dict[bytes, stt.SpeechEvent]]


@dataclass(frozen=True, slots=True)
class ModelTimes:
    """How long the models take, in seconds: about what the local ones take on two cores (docs/replay.md).

    Args:
        hearing: of any transcription.
        hearing_per_second: more for each second of audio.
        thinking: until the language model's first words; the others come with them.
        speaking: until the first audio of a piece of text; the rest comes with it.
        reading: of a sentence, for how finished it is.
    """

    hearing: float = 0.020
    hearing_per_second: float = 0.030
    thinking: float = 0.010
    speaking: float = 0.050
    reading: float = 0.015


class ModelThread:
    """A thread with an event loop in real time, in which models work while whoever asks them waits."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="models", daemon=True)
        self._thread.start()

    def ask(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end there; the calling thread does nothing else meanwhile."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the thread."""
        self.ask(self._loop.shutdown_asyncgens())
        self.ask(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class StatedModels:
    """The models of another source, with stated times; see `ModelSource`.

    Args:
        source: makes the models.
        times: how long each takes.
        thread: where they work.
        heard: what was transcribed so far, kept from call to call by whoever makes this.
    """

    def __init__(self, source: ModelSource, times: ModelTimes, thread: ModelThread, heard: Heard) -> None:
        self._source = source
        self._times = times
        self._thread = thread
        self._heard = heard

    def stt(self, ref: ModelRef, language: str, key_terms: Sequence[str] = ()) -> stt.STT[Any]:
        """See `ModelSource`."""
        heard = self._heard.setdefault(f"{ref} {language} {key_terms}", {})
        return _StatedSTT(self._source.stt(ref, language, key_terms), self._times, self._thread, heard)

    def llm(self, ref: ModelRef) -> llm.LLM[Any]:
        """See `ModelSource`."""
        return _StatedLLM(self._source.llm(ref), self._times, self._thread)

    def tts(self, ref: ModelRef, voice: str) -> tts.TTS[Any]:
        """See `ModelSource`."""
        return _StatedTTS(self._source.tts(ref, voice), self._times, self._thread)

    def sentence_model(self, ref: ModelRef) -> SentenceModel:
        """See `ModelSource`."""
        return _StatedSentenceModel(self._source.sentence_model(ref), self._times, self._thread)

    async def aclose(self) -> None:
        """See `ModelSource`."""
        self._thread.ask(self._source.aclose())


class _StatedSTT(stt.STT[Any]):
    def __init__(
        self, inner: stt.STT[Any], times: ModelTimes, thread: ModelThread, heard: dict[bytes, stt.SpeechEvent]
    ) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        self._inner = inner
        self._times = times
        self._thread = thread
        self._heard = heard

    @property
    def model(self) -> str:
        return self._inner.model

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        frames = buffer if isinstance(buffer, list) else [buffer]
        seconds = sum(frame.duration for frame in frames)
        await asyncio.sleep(self._times.hearing + self._times.hearing_per_second * seconds)
        sound = hashlib.sha256(b"".join(bytes(frame.data) for frame in frames)).digest()
        if sound not in self._heard:
            work = self._inner.recognize(buffer, language=language, conn_options=conn_options)
            self._heard[sound] = self._thread.ask(work)
        return self._heard[sound]

    async def aclose(self) -> None:
        self._thread.ask(self._inner.aclose())


class _StatedSentenceModel:
    def __init__(self, inner: SentenceModel, times: ModelTimes, thread: ModelThread) -> None:
        self._inner = inner
        self._times = times
        self._thread = thread

    async def unfinished(self, text: str) -> float | None:
        await asyncio.sleep(self._times.reading)
        return self._thread.ask(self._inner.unfinished(text))


class _StatedLLM(llm.LLM[Any]):
    def __init__(self, inner: llm.LLM[Any], times: ModelTimes, thread: ModelThread) -> None:
        super().__init__()
        self.inner = inner
        self.times = times
        self.thread = thread

    @property
    def model(self) -> str:
        return self.inner.model

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> "_StatedLLMStream":
        async def ask() -> list[llm.ChatChunk]:
            stream = self.inner.chat(
                chat_ctx=chat_ctx,
                tools=tools,
                conn_options=conn_options,
                parallel_tool_calls=parallel_tool_calls,
                tool_choice=tool_choice,
                extra_kwargs=extra_kwargs,
            )
            async with stream:
                return [chunk async for chunk in stream]

        return _StatedLLMStream(self, ask, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)

    async def aclose(self) -> None:
        await super().aclose()
        self.thread.ask(self.inner.aclose())


class _StatedLLMStream(llm.LLMStream):
    def __init__(
        self,
        owner: _StatedLLM,
        ask: Callable[[], Coroutine[Any, Any, list[llm.ChatChunk]]],
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
        conn_options: APIConnectOptions,
    ) -> None:
        super().__init__(owner, chat_ctx=chat_ctx, tools=tools, conn_options=conn_options)
        self._owner = owner
        self._ask = ask

    async def _run(self) -> None:
        await asyncio.sleep(self._owner.times.thinking)
        for chunk in self._owner.thread.ask(self._ask()):
            self._event_ch.send_nowait(chunk)


class _StatedTTS(tts.TTS[Any]):
    def __init__(self, inner: tts.TTS[Any], times: ModelTimes, thread: ModelThread) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=inner.sample_rate,
            num_channels=inner.num_channels,
        )
        self.inner = inner
        self.times = times
        self.thread = thread

    @property
    def model(self) -> str:
        return self.inner.model

    def update_options(self, *, speed: float) -> None:
        if isinstance(self.inner, Adjustable):
            self.inner.update_options(speed=speed)

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "_StatedSpeech":
        return _StatedSpeech(self, input_text=text, conn_options=conn_options)

    async def aclose(self) -> None:
        self.thread.ask(self.inner.aclose())


class _StatedSpeech(tts.ChunkedStream):
    def __init__(self, owner: _StatedTTS, *, input_text: str, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=owner, input_text=input_text, conn_options=conn_options)
        self._owner = owner

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        await asyncio.sleep(self._owner.times.speaking)
        request_id, audio = self._owner.thread.ask(self._synthesize())
        output_emitter.initialize(
            request_id=request_id,
            sample_rate=self._owner.sample_rate,
            num_channels=self._owner.num_channels,
            mime_type="audio/pcm",
        )
        output_emitter.push(audio)
        output_emitter.flush()

    async def _synthesize(self) -> tuple[str, bytes]:
        async with self._owner.inner.synthesize(self.input_text, conn_options=self._conn_options) as stream:
            events = [event async for event in stream]
        return events[0].request_id if events else "", b"".join(bytes(event.frame.data) for event in events)
