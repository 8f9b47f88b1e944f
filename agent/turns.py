"""A turn: one utterance by one speaker on one channel (DESIGN §2)."""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Speaker(StrEnum):
    """Who uttered a turn; the values are the roles of the chat protocol."""

    USER = "user"
    ASSISTANT = "assistant"


class Channel(StrEnum):
    """How a turn was uttered: aloud, as text in the room (`lk.chat`), or in the chat thread."""

    VOICE = "voice"
    ROOM = "room"
    CHAT = "chat"


class Kind(StrEnum):
    """What a turn is: words that somebody said or typed, or something to read that nobody said."""

    SPEECH = "speech"
    NOTE = "note"  # written by the agent
    TOOL = "tool"  # what a tool gave back


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the stages before a reply took, in milliseconds; None where unknown.

    Attributes:
        transcription_ms: from the end of the user's speech to its transcript.
        end_of_turn_ms: from there to the decision that the turn is over.
        silence_ms: the silence that the decision waited for.
        attempts: how often the turn was transcribed.
        llm_first_token_ms: the model's first token.
        tts_first_byte_ms: the speech's first audio.
        total_ms: from the end of the user's speech to the first audio sent, as the library counts it.
    """

    transcription_ms: int | None = None
    end_of_turn_ms: int | None = None
    silence_ms: int | None = None
    attempts: int | None = None
    llm_first_token_ms: int | None = None
    tts_first_byte_ms: int | None = None
    total_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance. Its `id` is made once and travels everywhere: model context, journal, wire and thread.

    `started_at` and `ended_at` are seconds since the epoch. `call_id` is None for a turn that was typed while no
    call was running. `seq` is the place in the thread, once the thread has said it.
    """

    id: str
    conversation_id: str
    speaker: Speaker
    channel: Channel
    text: str
    started_at: float
    ended_at: float
    call_id: str | None = None
    interrupted: bool = False
    reply_to: str | None = None
    latency: Latency = field(default_factory=Latency)
    seq: int | None = None
    kind: Kind = Kind.SPEECH

    def to_json(self) -> str:
        """One line of JSON, the form that the journal keeps; `kind` stands there only where it is another one."""
        data = asdict(self)
        if self.kind is Kind.SPEECH:
            del data["kind"]
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> "Turn":
        """The inverse of `to_json`; raises ValueError, KeyError or TypeError when the line is something else."""
        data: dict[str, Any] = json.loads(line)
        data["speaker"] = Speaker(data["speaker"])
        data["channel"] = Channel(data["channel"])
        data["kind"] = Kind(data.get("kind", Kind.SPEECH))
        data["latency"] = Latency(**data["latency"])
        return cls(**data)

    def with_seq(self, seq: int | None) -> "Turn":
        """The same turn at its place in the thread."""
        return replace(self, seq=seq)


def readable(text: str) -> str:
    """A text that can be stored: half a surrogate pair becomes U+FFFD.

    JSON can spell one, and a model's stream may leave one of an emoji; neither UTF-8 nor SQLite can hold it.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def to_timestamp(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC with milliseconds, the form of the chat protocol."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_timestamp(text: str) -> float:
    """Seconds since the epoch from ISO 8601; raises ValueError for anything else, and for a time without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time stamp needs a time zone")
    return moment.timestamp()
