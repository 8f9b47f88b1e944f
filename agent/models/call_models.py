"""The models of a call, each an ordered list of `provider/model` (DESIGN §4): the next takes over when one fails."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from livekit.agents import llm, tts
from livekit.local_inference import init_vad

from agent.job import Job, TurnTaking
from agent.job.model_choice import models_of
from agent.models.fallback_llm import FallbackLLM, SpareWords
from agent.models.fallback_stt import FallbackSTT
from agent.models.fallback_tts import FallbackTTS
from agent.models.patience import Patience
from agent.models.reports import ModelReports
from agent.models.source import ModelSource
from agent.models.stage import Candidate, StageLimits
from agent.phrases import Phrase, say
from agent.settings import ModelKind, ModelRef, Settings
from agent.usage.measure import ModelKey, Stage
from agent.usage.meter import Measured
from agent.voices import OPENAI_VOICES, is_known_voice
from plugins.sentence_model import SentenceModel
from plugins.shared_vad import SharedVAD
from plugins.speculative_stt import SpeculativeSTT
from plugins.speech_finder import SpeechRules
from plugins.turn_tracker import TurnLimits
from plugins.voice_model import VoiceModel

# Less than the shortest silence that ends a turn: the session has to know that the person is silent by then.
VAD_MIN_SILENCE_S = 0.15
# This recogniser reads sentences, too.
READER = ModelRef("local", "moonshine-tiny-en")

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class CallModels:
    """What hears, thinks and speaks in one call; `reports` tells of those that fail.

    `members` are the models themselves, by their names.
    """

    vad: SharedVAD
    stt: SpeculativeSTT
    llm: llm.LLM[Any]
    tts: tts.TTS[Any]
    source: ModelSource
    reports: ModelReports
    members: Mapping[ModelKey, Measured]

    async def aclose(self) -> None:
        """Let go of the models and their connections."""
        await self.stt.aclose()
        await self.llm.aclose()
        await self.tts.aclose()
        await self.source.aclose()


@dataclass(frozen=True, slots=True)
class LocalEars:
    """What finds speech and the end of a turn, on this machine; loaded once in each process."""

    voice_model: VoiceModel

    @classmethod
    def load(cls) -> "LocalEars":
        """The models that come compiled with livekit-agents (docs/livekit-agents.md says why not the plugins)."""
        init_vad()
        return cls(VoiceModel())


def build_models(settings: Settings, job: Job, ears: LocalEars, source: ModelSource) -> CallModels:
    """The models that the job or else the settings name, in order: the next takes over when one fails.

    Raises:
        SettingsError: a list names a model that cannot be had.
    """
    language = job.agent.primary_language
    reports = ModelReports()
    hearing = _candidates(models_of(job, settings, "stt"), lambda ref: source.stt(ref, language, job.agent.key_terms))
    thinking = _candidates(models_of(job, settings, "llm"), source.llm)
    speaking = _candidates(models_of(job, settings, "tts"), lambda ref: source.tts(ref, voice_of(job, settings, ref)))
    words = SpareWords(say(Phrase.START_AGAIN, language), say(Phrase.CANNOT_THINK, language))
    shared = SharedVAD(SpeechRules(min_silence=VAD_MIN_SILENCE_S))
    recognizer = FallbackSTT(hearing, stage_limits(settings, "stt"), reports)
    return CallModels(
        vad=shared,
        stt=SpeculativeSTT(
            recognizer, shared, ears.voice_model, turn_limits(job.turn_taking), _sentence_model(settings, job, source)
        ),
        llm=FallbackLLM(thinking, stage_limits(settings, "llm"), words, reports),
        tts=FallbackTTS(speaking, stage_limits(settings, "tts"), reports),
        source=source,
        reports=reports,
        members={
            ModelKey(stage, candidate.name): candidate.model
            for stage, candidates in (
                (Stage.HEARING, hearing),
                (Stage.THINKING, thinking),
                (Stage.SPEAKING, speaking),
            )
            for candidate in candidates
        },
    )


def stage_limits(settings: Settings, kind: ModelKind) -> StageLimits:
    """When a model of a kind is given up, as the settings say."""
    patience = {
        "stt": Patience(settings.stt_seconds, settings.stt_seconds),
        "llm": Patience(settings.llm_first_token_seconds, settings.llm_stall_seconds),
        "tts": Patience(settings.tts_first_audio_seconds, settings.tts_stall_seconds),
    }[kind]
    return StageLimits(patience, settings.model_rest_seconds, settings.model_longest_rest_seconds)


def turn_limits(wanted: TurnTaking) -> TurnLimits:
    """How a job wants the end of a turn to be found."""
    return TurnLimits(shortest=wanted.shortest_wait_s, longest=wanted.longest_wait_s)


def _sentence_model(settings: Settings, job: Job, source: ModelSource) -> SentenceModel | None:
    ref = sentence_model_of(settings, job)
    return None if ref is None else source.sentence_model(ref)


def sentence_model_of(settings: Settings, job: Job) -> ModelRef | None:
    """What reads sentences in this call: there is one for English alone."""
    if job.agent.primary_language != "en":
        return None
    return settings.sentence_model or (READER if READER in models_of(job, settings, "stt") else None)


def voice_of(job: Job, settings: Settings, ref: ModelRef) -> str:
    """The voice of one of the call's models; nothing means its own.

    A voice is the first model's: a stand-in would refuse it, unless it is one that they all have.
    """
    wanted = job.agent.voice or settings.tts_voice
    has_it = ref == models_of(job, settings, "tts")[0] or wanted in OPENAI_VOICES
    return wanted if wanted and has_it and is_known_voice(settings, ref, wanted) else ""


def describe_models(settings: Settings, kind: ModelKind) -> str:
    """The models of a kind in the order in which they are tried, for people."""
    return ", ".join(str(ref) for ref in settings.models(kind))


def _candidates(refs: tuple[ModelRef, ...], make: Callable[[ModelRef], Model]) -> list[Candidate[Model]]:
    return [Candidate(str(ref), make(ref)) for ref in refs]
