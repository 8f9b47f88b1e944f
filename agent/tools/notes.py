"""What stands in the thread about a tool: a turn of kind `tool`, to be read and not heard."""

import time

from agent.conversation import Conversation
from agent.phrases import Phrase, say
from agent.tools.ledger import Begun
from agent.turns import Channel, Kind, Speaker, Turn


def tool_note(conversation: Conversation, begun: Begun, text: str) -> Turn:
    """The result of a call as a note.

    Args:
        conversation: where it belongs.
        begun: the call; the note has its key, so that it never stands twice.
        text: what the tool said.
    """
    now = time.time()
    return Turn(
        id=f"tool_{begun.key}",
        conversation_id=conversation.id,
        speaker=Speaker.ASSISTANT,
        channel=Channel.CHAT,
        text=f"{begun.tool}: {text}",
        started_at=now,
        ended_at=now,
        call_id=conversation.call_id,
        reply_to=conversation.answering,
        kind=Kind.TOOL,
    )


def unknown_outcome(conversation: Conversation, begun: Begun, language: str) -> Turn:
    """A note that a call of an earlier process has no known outcome, in the agent's language."""
    return tool_note(conversation, begun, say(Phrase.UNKNOWN_OUTCOME, language))
