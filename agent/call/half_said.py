"""What an agent was saying when its process died: people have heard it, so it stands in the thread."""

import time

from agent.conversation import Conversation
from agent.journal import Journal
from agent.leases import Lease
from agent.turns import Channel, Speaker, Turn


class HalfSaid:
    """The reply under way, as far as it was heard.

    Args:
        conversation: whose reply it is.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._text = ""
        self._began_at = 0.0

    def so_far(self, text: str) -> Turn | None:
        """The turn that it is if nothing more is heard.

        Args:
            text: what was said of the reply by now; empty when the agent is silent.
        """
        if not self._text or not text.startswith(self._text):
            self._began_at = time.time()
        self._text = text
        if not text:
            return None
        call_id = self._conversation.call_id
        return Turn(
            id=f"half_{call_id}_{self._began_at * 1000:.0f}",
            conversation_id=self._conversation.id,
            speaker=Speaker.ASSISTANT,
            channel=Channel.VOICE,
            text=text.strip(),
            started_at=self._began_at,
            ended_at=time.time(),
            call_id=call_id,
            interrupted=True,
            reply_to=self._conversation.answering,
        )


async def write_half_said(journal: Journal, lease: Lease) -> None:
    """Write the reply that a call was cut off in, unless the call came to write it itself.

    Args:
        journal: where the turn becomes durable.
        lease: a lease under which the cut call cannot write any more.

    Raises:
        JournalError: the journal cannot be read or written.
    """
    if not lease.saying:
        return
    turn = Turn.from_json(lease.saying)
    entries = await journal.entries_of_call(turn.call_id or "")
    if not any(e.turn.speaker is Speaker.ASSISTANT and e.written_at >= turn.started_at for e in entries):
        await journal.append(turn)
