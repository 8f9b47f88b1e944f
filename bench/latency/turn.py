"""What one turn came to."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Stages:
    """Where the time went, in milliseconds, as the library inside the contender reports it; None where unknown.

    `silence_ms` is the silence that this agent waited for. `library_ms` is the library's own figure for the whole: from
    the end of speech, as its VAD sees it, to the first frame it plays.
    """

    transcription_ms: int | None = None
    end_of_turn_ms: int | None = None
    silence_ms: int | None = None
    llm_first_token_ms: int | None = None
    tts_first_byte_ms: int | None = None
    library_ms: int | None = None


@dataclass(frozen=True)
class HeardTurn:
    """One recording told to one contender.

    Attributes:
        contender: who was told.
        recording: what was told.
        seconds: how long it was, with its pauses.
        pauses: how long the pauses that were put in are, in seconds.
        reply_ms: from the last audible sample of the recording that left to the first audible sample of the answer that
            arrived; None when it was cut off or missed.
        cut_off: an answer began before the recording had ended, or so soon after it that it must have been under way.
        missed: no answer came.
        replied_at: when the answer was first heard, in seconds since the epoch.
        stages: see `Stages`.
    """

    contender: str
    recording: str
    seconds: float
    pauses: tuple[float, ...]
    reply_ms: int | None
    cut_off: bool
    missed: bool
    replied_at: float | None
    stages: Stages = field(default_factory=Stages)

    def to_row(self) -> dict[str, Any]:
        """The members by name, for JSON."""
        return asdict(self)
