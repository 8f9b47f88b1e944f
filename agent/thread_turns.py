"""From the thread's messages to turns, and what among them still waits for an answer."""

import hashlib
import time
from collections.abc import Sequence

from agent.chat.frames import ThreadMessage
from agent.turns import Channel, Speaker, Turn

FRESH_S = 30.0


def to_turn(message: ThreadMessage, conversation_id: str) -> Turn:
    """A message of the thread as a turn; what a server written to the guide alone does not say is filled in.

    A message without an id gets one made from its place and its words, the same each time it is read.
    """
    at = message.created_at if message.created_at is not None else time.time()
    digest = hashlib.sha256(f"{message.seq}\x00{message.role}\x00{message.text}".encode()).hexdigest()[:16]
    return Turn(
        id=message.id or f"thread_{digest}",
        conversation_id=conversation_id,
        speaker=message.role or Speaker.ASSISTANT,
        channel=message.channel or Channel.CHAT,
        text=message.text,
        started_at=at,
        ended_at=at,
        interrupted=message.interrupted,
        reply_to=message.reply_to,
        seq=message.seq,
    )


def unanswered(history: Sequence[Turn], *, now: float) -> Turn | None:
    """The message that a person typed just before the call (at most `FRESH_S` seconds) and that nobody answered."""
    if not history:
        return None
    last = history[-1]
    typed = last.speaker is Speaker.USER and last.channel is Channel.CHAT
    return last if typed and now - last.started_at <= FRESH_S else None
