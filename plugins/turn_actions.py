"""What is to be done for a turn, as `TurnTracker` says it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Transcribe the current segment as it stands, and tell `transcript` with this number.

    Attributes:
        attempt: the number.
        silence: how many seconds of silence, or of speech that fades, it ends with.
    """

    attempt: int
    silence: float


@dataclass(frozen=True, slots=True)
class AskVoice:
    """Ask the audio model whether the turn is over, and tell `voice` with this number."""

    attempt: int


@dataclass(frozen=True, slots=True)
class AskSentence:
    """Ask the sentence model how unfinished these words read, and tell `sentence` with this number."""

    attempt: int
    text: str


@dataclass(frozen=True, slots=True)
class NewSegment:
    """The audio so far is not needed any more: the current segment begins anew."""


@dataclass(frozen=True, slots=True)
class Caption:
    """The words so far, which may change."""

    text: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    """These are words to the agent, spoken while it speaks: no back-channel. Comes once in a turn."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """The words of the turn if it should be over now: an answer may be prepared."""

    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """The turn is over.

    Attributes:
        text: its words.
        silence: seconds since its last audible sample.
        required: seconds that were enough on this evidence.
        probability: what the audio model said.
        unfinished: what the sentence model said.
        attempts: how often it was transcribed.
    """

    text: str
    silence: float
    required: float
    probability: float | None
    unfinished: float | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """There was no turn: a sound without words, or a back-channel."""

    why: str


Action = Transcribe | AskVoice | AskSentence | NewSegment | Caption | Interrupt | Preflight | Final | Dropped
