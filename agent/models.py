"""The models of a call, each an ordered list of `provider/model` behind the OpenAI API (DESIGN §4)."""

from dataclasses import dataclass
from typing import Any, Literal

from livekit.agents import inference, llm, stt, tts, vad
from livekit.plugins import openai

from agent.job import Job
from agent.settings import ModelRef, Settings
from plugins.speculative_stt import SpeculativeSTT

# The person's pause that ends an utterance for the VAD, in seconds; the session adds its own endpointing delay.
VAD_MIN_SILENCE_S = 0.4


@dataclass(frozen=True, slots=True)
class CallModels:
    """What hears, thinks and speaks in one call."""

    vad: vad.VAD
    stt: stt.STT[Any]
    llm: llm.LLM[Any]
    tts: tts.TTS[Any]


def load_vad() -> vad.VAD:
    """The Silero VAD that comes compiled with livekit-agents (docs/livekit-agents.md says why not the plugin)."""
    return inference.VAD(model="silero", min_silence_duration=VAD_MIN_SILENCE_S)


def build_models(settings: Settings, job: Job, voice_activity: vad.VAD) -> CallModels:
    """The models that the settings name, in order: the next takes over when one fails.

    Raises:
        SettingsError: a list names a provider that nobody configured.
    """
    hearing = [_stt(settings, ref, job) for ref in settings.models("stt")]
    thinking = [_llm(settings, ref) for ref in settings.models("llm")]
    speaking = [_tts(settings, ref, job) for ref in settings.models("tts")]
    recognizer = hearing[0] if len(hearing) == 1 else stt.FallbackAdapter(hearing, vad=voice_activity)
    return CallModels(
        vad=voice_activity,
        stt=SpeculativeSTT(recognizer, voice_activity),
        llm=thinking[0] if len(thinking) == 1 else llm.FallbackAdapter(thinking),
        tts=speaking[0] if len(speaking) == 1 else tts.FallbackAdapter(speaking),
    )


def describe_models(settings: Settings, kind: Literal["stt", "llm", "tts"]) -> str:
    """The models of a kind in the order in which they are tried, for people."""
    return ", ".join(str(ref) for ref in settings.models(kind))


def _stt(settings: Settings, ref: ModelRef, job: Job) -> stt.STT[Any]:
    provider = settings.provider(ref.provider)
    return openai.STT(
        model=ref.model,
        language=job.agent.language.partition("-")[0],
        base_url=provider.base_url,
        api_key=provider.api_key.get_secret_value(),
        use_realtime=False,
    )


def _llm(settings: Settings, ref: ModelRef) -> llm.LLM[Any]:
    provider = settings.provider(ref.provider)
    return openai.LLM(model=ref.model, base_url=provider.base_url, api_key=provider.api_key.get_secret_value())


def _tts(settings: Settings, ref: ModelRef, job: Job) -> tts.TTS[Any]:
    provider = settings.provider(ref.provider)
    return openai.TTS(
        model=ref.model,
        voice=job.agent.voice or settings.tts_voice or "alloy",
        base_url=provider.base_url,
        api_key=provider.api_key.get_secret_value(),
        # PCM needs no decoder, whose first frame comes late.
        response_format="pcm",
    )
