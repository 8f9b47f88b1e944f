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


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the stages before a reply took, in milliseconds, as the library reports them; None where unknown."""

    transcription_ms: int | None = None
    end_of_turn_ms: int | None = None
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

    def to_json(self) -> str:
        """One line of JSON, the form that the journal keeps."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> "Turn":
        """The inverse of `to_json`; raises ValueError, KeyError or TypeError when the line is something else."""
        data: dict[str, Any] = json.loads(line)
        data["speaker"] = Speaker(data["speaker"])
        data["channel"] = Channel(data["channel"])
        data["latency"] = Latency(**data["latency"])
        return cls(**data)

    def with_seq(self, seq: int | None) -> "Turn":
        """The same turn at its place in the thread."""
        return replace(self, seq=seq)


def to_timestamp(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC with milliseconds, the form of the chat protocol."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_timestamp(text: str) -> float:
    """Seconds since the epoch from ISO 8601; raises ValueError for anything else, and for a time without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time stamp needs a time zone")
    return moment.timestamp()
