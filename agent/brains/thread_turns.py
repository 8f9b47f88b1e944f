"""From the thread's messages to turns, and what among them still waits for an answer."""

import time
import uuid
from collections.abc import Sequence

from agent.chat.frames import ThreadMessage
from agent.turns import Channel, Kind, Speaker, Turn

FRESH_S = 30.0


def to_turn(message: ThreadMessage, conversation_id: str) -> Turn:
    """A message of the thread as a turn; what a server written to the guide alone does not say is filled in.

    A message without an id gets one made from its place, or a new one where the server does not number its messages.
    """
    at = message.created_at if message.created_at is not None else time.time()
    place = uuid.uuid4().hex if message.seq is None else str(message.seq)
    return Turn(
        id=message.id or f"thread_{place}",
        conversation_id=conversation_id,
        speaker=message.role or Speaker.ASSISTANT,
        channel=message.channel or Channel.CHAT,
        text=message.text,
        started_at=at,
        ended_at=at,
        interrupted=message.interrupted,
        reply_to=message.reply_to,
        seq=message.seq,
        kind=message.kind,
    )


def unanswered(history: Sequence[Turn], *, now: float) -> Turn | None:
    """The message that a person typed just before the call (at most `FRESH_S` seconds) and that nobody answered."""
    last = next((turn for turn in reversed(history) if turn.kind is Kind.SPEECH), None)
    if last is None:
        return None
    typed = last.speaker is Speaker.USER and last.channel is Channel.CHAT
    return last if typed and now - last.started_at <= FRESH_S else None


def last_question(turns: Sequence[Turn]) -> Turn | None:
    """The user's last turn."""
    return next((turn for turn in reversed(turns) if turn.speaker is Speaker.USER), None)


def is_answered(question: Turn, turns: Sequence[Turn]) -> bool:
    """Whether a turn was answered to the end."""
    return any(turn.reply_to == question.id and not turn.interrupted for turn in turns)
