"""Every model of a call, each asked for something small, through the same objects and clients as in a call."""

import math
import ssl
from collections.abc import Awaitable, Callable
from functools import partial

import numpy as np
import openai
from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, APIStatusError, APITimeoutError, llm
from pydantic import ValidationError

from agent.check.causes import network_problem
from agent.check.findings import Probe, Wrong
from agent.check.local import START
from agent.job import Job
from agent.job.model_choice import models_of
from agent.models import ConfiguredModels
from agent.models.call_models import sentence_model_of, voice_of
from agent.providers import reached_at
from agent.settings import WELL_KNOWN_BASE_URLS, ModelKind, ModelRef, Settings

TITLES: dict[ModelKind, str] = {"stt": "speech to text", "llm": "language model", "tts": "text to speech"}
READS = "sentence model"
WITHOUT_READER = (
    "the end of a turn is then found by voice and signs in the words; else start the local models (`make dev`, "
    "`agent serve models`), or correct SENTENCE_MODEL"
)
RATE = 16_000
HEARD_S = 0.5
WORD = "Hello."
# Less than this is no word.
SHORTEST_WORD_S = 0.1


class ModelChecks:
    """Looks at the models of a job.

    Args:
        settings: where the providers are.
        job: which models, language and voice.
        kinds: which kinds the call uses.
        timeout: seconds that a request may take.
    """

    def __init__(self, settings: Settings, job: Job, kinds: tuple[ModelKind, ...], timeout: float) -> None:
        self._settings = settings
        self._job = job
        self._kinds = kinds
        self._once = APIConnectOptions(max_retry=0, timeout=timeout)
        self._source = ConfiguredModels(settings, ssl.create_default_context())

    def probes(self) -> list[Probe]:
        """What to look at."""
        asks: dict[ModelKind, Callable[[ModelRef], Awaitable[str]]] = {
            "stt": self._hear,
            "llm": self._think,
            "tts": self._speak,
        }
        probes = [
            Probe(
                TITLES[kind],
                str(ref),
                reached_at(self._settings, ref.provider),
                partial(self._ask, kind, ref, asks[kind]),
                f"look whether it is overloaded, or name another model first in {self._list_of(kind)}",
            )
            for kind in self._kinds
            for ref in models_of(self._job, self._settings, kind)
        ]
        reader = sentence_model_of(self._settings, self._job)
        if "stt" in self._kinds and reader is not None:
            where = reached_at(self._settings, reader.provider)
            probes.append(Probe(READS, str(reader), where, partial(self._read, reader), WITHOUT_READER))
        return probes

    async def aclose(self) -> None:
        """Close all connections."""
        await self._source.aclose()

    async def _ask(self, kind: ModelKind, ref: ModelRef, ask: Callable[[ModelRef], Awaitable[str]]) -> str:
        try:
            return await ask(ref)
        except APIStatusError as error:
            raise self._refused(kind, ref, error.status_code) from None
        except APITimeoutError:
            raise TimeoutError from None
        except APIError as error:
            raise self._failed(ref, error) from None

    async def _hear(self, ref: ModelRef) -> str:
        """Half a second of a low tone."""
        at = np.arange(int(RATE * HEARD_S)) / RATE
        samples = (3000 * np.sin(2 * math.pi * 200 * at)).astype("<i2")
        model = self._source.stt(ref, self._job.agent.primary_language)
        try:
            frame = rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples))
            await model.recognize([frame], conn_options=self._once)
        finally:
            await model.aclose()
        return f"heard {HEARD_S:g} s of sound"

    async def _read(self, ref: ModelRef) -> str:
        """A short sentence; a call does without the model, and then cuts into more pauses."""
        model = self._source.sentence_model(ref)
        try:
            await model.ask(WORD, self._once.timeout)
        except openai.APITimeoutError:
            raise TimeoutError from None
        except openai.APIStatusError as error:
            raise Wrong(f"reads no sentences ({error.status_code})", WITHOUT_READER) from None
        except (openai.OpenAIError, ValidationError):
            raise Wrong("gives no answer that can be used", WITHOUT_READER) from None
        return "reads sentences"

    async def _think(self, ref: ModelRef) -> str:
        """One word, and the rest is not waited for."""
        model = self._source.llm(ref)
        context = llm.ChatContext.empty()
        context.add_message(role="user", content=WORD)
        try:
            async with model.chat(chat_ctx=context, conn_options=self._once) as stream:
                async for chunk in stream:
                    if chunk.delta is not None and (chunk.delta.content or chunk.delta.tool_calls):
                        return "answers"
        finally:
            await model.aclose()
        raise Wrong("answers without a word", f"check the model's name, and {self._address_of(ref)}")

    async def _speak(self, ref: ModelRef) -> str:
        """One short word, whole."""
        voice = voice_of(self._job, self._settings, ref)
        model = self._source.tts(ref, voice)
        seconds, loudest = 0.0, 0
        try:
            async with model.synthesize(WORD, conn_options=self._once) as stream:
                async for audio in stream:
                    seconds += audio.frame.duration
                    loudest = max(loudest, int(np.abs(np.frombuffer(audio.frame.data, "<i2").astype(int)).max()))
        finally:
            await model.aclose()
        if seconds < SHORTEST_WORD_S or not loudest:
            raise Wrong("answers without speech", f"check the model's name, and {self._address_of(ref)}")
        return f"spoke {seconds:.1f} s with {f'the voice {voice}' if voice else 'its own voice'}"

    def _refused(self, kind: ModelKind, ref: ModelRef, status: int) -> Wrong:
        match status:
            case 401 | 403:
                return Wrong(f"refuses the key ({status})", f"check {ref.provider.upper()}_API_KEY")
            case 404:
                return Wrong(
                    "has no such model, or its API is elsewhere (404)",
                    f"check the name in {self._list_of(kind)}, and {self._address_of(ref)}",
                )
            case 402 | 429:
                return Wrong(f"refuses more requests ({status})", "wait, or look into the provider's limits and credit")
            case 400 | 422:
                voice = " and the voice (agent.voice, TTS_VOICE)" if kind == "tts" else ""
                return Wrong(
                    f"does not accept the request ({status})", f"check the model's name in {self._list_of(kind)}{voice}"
                )
            case _:
                return Wrong(f"answers {status}", "look into the log or the status page of the provider")

    def _failed(self, ref: ModelRef, error: APIError) -> Wrong:
        is_local = ref.provider == "local" and "local" not in self._settings.providers
        refused = f"{START}, or name other models" if is_local else f"start it, or correct {self._address_of(ref)}"
        address = "MODELS_PORT" if is_local else f"{ref.provider.upper()}_BASE_URL"
        wrong = network_problem(error, refused, address)
        return wrong or Wrong("its answer is not that of an OpenAI API", f"check {self._address_of(ref)}")

    def _list_of(self, kind: ModelKind) -> str:
        return f"models.{kind} of the job" if getattr(self._job.models, kind) else f"{kind.upper()}_MODELS"

    def _address_of(self, ref: ModelRef) -> str:
        """The setting that says where a model is."""
        if ref.provider == "local" and "local" not in self._settings.providers:
            return "MODELS_PORT"
        known = WELL_KNOWN_BASE_URLS.get(ref.provider)
        return f"{ref.provider.upper()}_BASE_URL (ends in /v1{f'; unset it is {known}' if known else ''})"
