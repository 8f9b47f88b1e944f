"""What Redis keeps as texts, as values."""

import json
from collections.abc import Sequence

from agent.journal.records import CallEvent, CallRecord


def as_float(text: str | None) -> float | None:
    """A number that may be missing."""
    return None if text is None else float(text)


def as_call(row: Sequence[str | None]) -> CallRecord:
    """A call of `read_call` in lua/calls.lua."""
    call_id, conversation, room, started_at, ended_at, reason = row
    return CallRecord(call_id or "", conversation or "", room or "", float(started_at or 0), as_float(ended_at), reason)


def as_event(call_id: str, row: str) -> tuple[int, CallEvent]:
    """An event, and its position among all."""
    position, at, kind, details = row.split("\n", 3)
    return int(position), CallEvent(call_id, float(at), kind, json.loads(details))
