"""The local models as livekit-agents takes them, in this process: the server's engines, without HTTP."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    LanguageCode,
    NotGivenOr,
    llm,
    stt,
    tts,
)
from livekit.agents.llm import ToolChoice
from livekit.agents.utils import AudioBuffer

from agent.dev.models import responder, speech, transcription
from agent.dev.models.audio_decoding import decode_audio
from agent.dev.models.chat_request import ChatRequest
from agent.dev.models.dialogue import Reply
from agent.dev.models.errors import ApiError
from agent.dev.models.samples import SPEAKING_RATE, to_pcm
from agent.dev.models.speech import HibariEngine
from agent.dev.models.transcript_formats import joined
from agent.dev.models.transcription import MoonshineEngine
from agent.dev.models.voices import resolve_voice
from agent.models import ModelSource
from agent.settings import ModelRef, SettingsError
from agent.voices import USUAL_VOICE
from plugins.sentence_model import SentenceModel

MAX_UTTERANCE_S = 600.0


class LocalSTT(stt.STT[Any]):
    """Moonshine; see `livekit.agents.stt.STT`.

    Args:
        engine: the model, loaded.
    """

    def __init__(self, engine: MoonshineEngine) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        self._engine = engine

    @property
    def model(self) -> str:
        """The model's id."""
        return transcription.MODEL_ID

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        # Through the same file and decoder as over HTTP, so that the words are the same.
        wav = rtc.combine_audio_frames(buffer).to_wav_bytes()
        samples = await asyncio.to_thread(decode_audio, wav, MAX_UTTERANCE_S)
        async with aclosing(self._engine.transcribe(samples)) as segments:
            text = joined([segment async for segment in segments])
        heard = stt.SpeechData(text=text, language=LanguageCode("en"))
        return stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[heard])


class LocalLLM(llm.LLM[Any]):
    """The responder; see `livekit.agents.llm.LLM`.

    Args:
        now: seconds since the epoch, for those who ask what time it is.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.now = now

    @property
    def model(self) -> str:
        """The model's id."""
        return responder.MODEL_ID

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> "_ResponderStream":
        """See `livekit.agents.llm.LLM.chat`."""
        return _ResponderStream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _ResponderStream(llm.LLMStream):
    def __init__(
        self, owner: LocalLLM, *, chat_ctx: llm.ChatContext, tools: list[llm.Tool], conn_options: APIConnectOptions
    ) -> None:
        super().__init__(owner, chat_ctx=chat_ctx, tools=tools, conn_options=conn_options)
        self._now = owner.now

    async def _run(self) -> None:
        messages, _ = self._chat_ctx.to_provider_format("openai")
        tools = llm.ToolContext(self._tools).parse_function_tools("openai")
        body = {"model": responder.MODEL_ID, "messages": messages, "tools": tools}
        request = ChatRequest.model_validate(body)
        now = datetime.fromtimestamp(self._now()).astimezone()
        reply = responder.respond(request.conversation(), request.offered(), now)
        chunk_id = f"chatcmpl-{secrets.token_hex(12)}"
        for delta in _deltas(reply):
            self._event_ch.send_nowait(llm.ChatChunk(id=chunk_id, delta=delta))


def _deltas(reply: Reply) -> Iterator[llm.ChoiceDelta]:
    if reply.tool:
        call = llm.FunctionToolCall(name=reply.tool, arguments=reply.arguments, call_id=f"call_{secrets.token_hex(12)}")
        yield llm.ChoiceDelta(role="assistant", tool_calls=[call])
        return
    for number, word in enumerate(reply.text.split()):
        yield llm.ChoiceDelta(role="assistant", content=f" {word}" if number else word)


class LocalTTS(tts.TTS[Any]):
    """Hibari; see `livekit.agents.tts.TTS`.

    Args:
        engine: the model, loaded.
        voice: one of the engine's voices.
    """

    def __init__(self, engine: HibariEngine, voice: str) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=SPEAKING_RATE, num_channels=1)
        self.engine = engine
        self.voice = voice
        self.speed = 1.0

    def update_options(self, *, speed: float) -> None:
        """Speak at another speed from the next text on; 0.25 to 4, 1 is the voice's own."""
        self.speed = speed

    @property
    def model(self) -> str:
        """The model's id."""
        return speech.MODEL_ID

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "_HibariStream":
        """See `livekit.agents.tts.TTS.synthesize`."""
        return _HibariStream(self, input_text=text, conn_options=conn_options)


class _HibariStream(tts.ChunkedStream):
    def __init__(self, owner: LocalTTS, *, input_text: str, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=owner, input_text=input_text, conn_options=conn_options)
        self._engine = owner.engine
        self._voice = owner.voice
        self._speed = owner.speed

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=secrets.token_hex(8), sample_rate=SPEAKING_RATE, num_channels=1, mime_type="audio/pcm"
        )
        async with aclosing(self._engine.speak(self.input_text, self._voice, self._speed)) as spoken:
            async for samples in spoken:
                output_emitter.push(to_pcm(samples))
        output_emitter.flush()


class LocalEngines:
    """The weights, loaded once and used by any number of calls, one after the other or together.

    Args:
        threads: of the speech model; see `HibariEngine`.
        seed: of the speech model; see `HibariEngine`.
    """

    def __init__(self, threads: int, seed: int | None = None) -> None:
        self.moonshine = MoonshineEngine()
        self.hibari = HibariEngine(threads, seed)

    async def load(self) -> None:
        """Load both; takes about a second."""
        await asyncio.gather(self.moonshine.load(), self.hibari.load())

    def close(self) -> None:
        """Free both."""
        self.moonshine.close()
        self.hibari.close()


class InProcessModels:
    """The models of the provider `local` in this process, all others as another source makes them; see `ModelSource`.

    Args:
        engines: the weights, which whoever loaded them closes.
        others: makes the models of other providers.
        now: see `LocalLLM`.
    """

    def __init__(self, engines: LocalEngines, others: ModelSource, now: Callable[[], float] = time.time) -> None:
        self._engines = engines
        self._others = others
        self._now = now

    def stt(self, ref: ModelRef, language: str, key_terms: Sequence[str] = ()) -> stt.STT[Any]:
        """See `ModelSource`; the local model cannot be told words."""
        if not _is_local(ref, transcription.MODEL_ID):
            return self._others.stt(ref, language, key_terms)
        if language != "en":
            raise SettingsError(f"{ref} knows English only, and the job's language is {language!r}")
        return LocalSTT(self._engines.moonshine)

    def llm(self, ref: ModelRef) -> llm.LLM[Any]:
        """See `ModelSource`."""
        return LocalLLM(self._now) if _is_local(ref, responder.MODEL_ID) else self._others.llm(ref)

    def tts(self, ref: ModelRef, voice: str) -> tts.TTS[Any]:
        """See `ModelSource`."""
        if not _is_local(ref, speech.MODEL_ID):
            return self._others.tts(ref, voice)
        try:
            return LocalTTS(self._engines.hibari, resolve_voice(voice or USUAL_VOICE, self._engines.hibari.voices))
        except ApiError as error:
            raise SettingsError(error.message) from None

    def sentence_model(self, ref: ModelRef) -> SentenceModel:
        """See `ModelSource`."""
        return self._engines.moonshine if _is_local(ref, transcription.MODEL_ID) else self._others.sentence_model(ref)

    async def aclose(self) -> None:
        """See `ModelSource`."""
        await self._others.aclose()


def _is_local(ref: ModelRef, model: str) -> bool:
    if ref.provider != "local":
        return False
    if ref.model != model:
        raise SettingsError(f"{ref}: there is no such local model, only local/{model}")
    return True
