"""What a webhook is told: the events and their JSON (docs/webhooks.md describes each key)."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from agent.journal import CallEvent, CallRecord, Notice
from agent.turns import Turn, to_timestamp

STARTED, TURN, TOOL, ENDED = "call.started", "turn", "tool", "call.ended"
# Makes the same id of the same event, so that nothing can be queued twice.
NAMESPACE = uuid.UUID("5f7d3c5e-1c0b-4f0e-9a43-6a2f6b1f9f11")


class CallNotices:
    """The notices of one call; see `agent.journal.forgiving.Notices`.

    Args:
        call: the call.
    """

    def __init__(self, call: CallRecord) -> None:
        self._call = call
        self._tools = 0

    def started(self, call: CallRecord) -> Notice:
        """The call begins."""
        return _notice(call, STARTED, "", call.started_at, {})

    def turn(self, turn: Turn) -> Notice:
        """A turn is final."""
        return _notice(self._call, TURN, turn.id, turn.ended_at, {"turn": turn_data(turn)})

    def event(self, event: CallEvent) -> Notice | None:
        """A tool has run; nothing else that happens is told, nor that a tool begins."""
        if event.kind != TOOL or event.details.get("status") == "started":
            return None
        self._tools += 1
        return _notice(self._call, TOOL, str(self._tools), event.at, {"tool": dict(event.details)})


def ended(
    call: CallRecord,
    *,
    at: float,
    turns: int,
    undelivered: int,
    usage: Mapping[str, Any] | None,
    summary: Mapping[str, Any] | None,
) -> Notice:
    """The call is over.

    Args:
        call: the call; without an end it was lost: its process was killed.
        at: when that was found, in seconds since the epoch.
        turns: how many turns it had.
        undelivered: how many of them the chat thread has not acknowledged yet.
        usage: what it used and what that costs, None: not known.
        summary: what the model made of it, None: nobody asked for one.
    """
    lost = call.ended_at is None
    data = {
        "state": "lost" if lost else "ended",
        "reason": call.reason,
        "ended_at": None if call.ended_at is None else to_timestamp(call.ended_at),
        "turns": turns,
        "undelivered_turns": undelivered,
        "usage": usage,
        "summary": summary,
    }
    return _notice(call, ENDED, "", call.ended_at or at, data)


def turn_data(turn: Turn) -> dict[str, Any]:
    """A turn as other programs read it."""
    return {
        "id": turn.id,
        "speaker": turn.speaker,
        "channel": turn.channel,
        "text": turn.text,
        "started_at": to_timestamp(turn.started_at),
        "ended_at": to_timestamp(turn.ended_at),
        "interrupted": turn.interrupted,
        "reply_to": turn.reply_to,
        "latency": asdict(turn.latency),
    }


def _notice(call: CallRecord, kind: str, key: str, at: float, data: Mapping[str, Any]) -> Notice:
    about = {
        "call_id": call.id,
        "conversation_id": call.conversation_id,
        "room": call.room,
        "started_at": to_timestamp(call.started_at),
    }
    # ASCII only: half a surrogate, which no encoding can hold, is spelled then.
    body = json.dumps({"type": kind, "timestamp": to_timestamp(at), "data": {**about, **data}}, separators=(",", ":"))
    notice_id = f"evt_{uuid.uuid5(NAMESPACE, f'{call.id} {kind} {key}').hex}"
    return Notice(notice_id, call.id, kind, at, body)
