"""What was used of one model: tokens, characters and seconds of audio, as the library's metrics tell them."""

from dataclasses import dataclass, fields
from enum import StrEnum

from livekit.agents.metrics import AgentMetrics, LLMMetrics, STTMetrics, TTSMetrics


class Stage(StrEnum):
    """What a model does in a call."""

    HEARING = "stt"
    THINKING = "llm"
    SPEAKING = "tts"


class Purpose(StrEnum):
    """What a model was used for."""

    CALL = "call"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much was used.

    Attributes:
        requests: requests that the model answered, at least in part.
        cancelled: those of them that were cancelled before the end: a reply that was begun too early or cut.
        unreported: those of them whose tokens the provider did not name; what they cost by tokens is not known.
        input_tokens: tokens of the prompts, cached ones included.
        cached_input_tokens: those of them that the provider took from its cache.
        output_tokens: tokens of the answers.
        characters: characters that were to be spoken.
        audio_seconds: seconds of audio that were transcribed or spoken. An utterance that is transcribed twice counts
            twice, as it is billed.
    """

    requests: int = 0
    cancelled: int = 0
    unreported: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    characters: int = 0
    audio_seconds: float = 0.0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Amounts)))


@dataclass(frozen=True, slots=True)
class ModelKey:
    """Which model was used, as the settings name it (`provider/model`), and what for."""

    stage: Stage
    model: str
    purpose: Purpose = Purpose.CALL


def amounts_of(metrics: AgentMetrics) -> Amounts | None:
    """What one of the library's metrics tells of usage; None: nothing."""
    match metrics:
        case LLMMetrics():
            return Amounts(
                requests=1,
                cancelled=int(metrics.cancelled),
                unreported=int(not metrics.prompt_tokens and not metrics.completion_tokens),
                input_tokens=metrics.prompt_tokens,
                cached_input_tokens=metrics.prompt_cached_tokens,
                output_tokens=metrics.completion_tokens,
            )
        case STTMetrics():
            return Amounts(
                requests=1,
                unreported=int(not metrics.input_tokens and not metrics.output_tokens),
                input_tokens=metrics.input_tokens,
                output_tokens=metrics.output_tokens,
                audio_seconds=metrics.audio_duration,
            )
        case TTSMetrics():
            return Amounts(
                requests=1,
                cancelled=int(metrics.cancelled),
                unreported=int(not metrics.input_tokens and not metrics.output_tokens),
                input_tokens=metrics.input_tokens,
                output_tokens=metrics.output_tokens,
                characters=metrics.characters_count,
                audio_seconds=metrics.audio_duration,
            )
        case _:
            return None
