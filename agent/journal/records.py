"""What the journal keeps of a call beside its turns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Detail = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call; times are seconds since the epoch, `ended_at` is None while it runs or when its process was killed."""

    id: str
    conversation_id: str
    room: str
    started_at: float
    ended_at: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something that happened in a call and is no turn: an error, a fallback. Never holds what people said.

    Attributes:
        call_id: the call.
        at: when, in seconds since the epoch.
        kind: a word for programs, such as `error` or `fallback`.
        details: what else is to be known.
    """

    call_id: str
    at: float
    kind: str
    details: Mapping[str, Detail] = field(default_factory=dict)
