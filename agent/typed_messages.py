"""What a person types during a call, in the thread or in the room: it interrupts as speech would and is answered."""

import asyncio
import logging

from livekit.agents import AgentSession, llm

from agent.conversation import Conversation
from agent.turns import Channel, Turn

logger = logging.getLogger("agent.typed_messages")

INTERRUPT_TIMEOUT_S = 2.0


class TypedMessages:
    """Answers typed turns one after the other, in the order in which they came.

    Args:
        conversation: where each turn takes its place, after the reply that it cuts.
        session: speaks the answers; it must be running before `run`.
    """

    def __init__(self, conversation: Conversation, session: AgentSession[None]) -> None:
        self._conversation = conversation
        self._session = session
        self._queue: asyncio.Queue[Turn] = asyncio.Queue()

    def put(self, turn: Turn) -> None:
        """A typed turn to take in and to answer."""
        self._queue.put_nowait(turn)

    async def run(self) -> None:
        """Take in and answer what is put, until cancelled."""
        while True:
            await self._take_in(await self._queue.get())

    async def _take_in(self, turn: Turn) -> None:
        try:
            # Done when the cut reply has taken its place in the conversation, so that this turn comes after it.
            await asyncio.wait_for(self._session.interrupt(force=True), INTERRUPT_TIMEOUT_S)
        except TimeoutError:
            logger.warning("the reply under way took too long to stop; answering all the same")
        except RuntimeError:
            return  # the session is closing: the turn stands in the thread, or was refused to its sender
        add = self._conversation.add_from_thread if turn.channel is Channel.CHAT else self._conversation.add
        if not add(turn):
            return
        message = llm.ChatMessage(role="user", content=[turn.text], id=turn.id, created_at=turn.started_at)
        self._session.generate_reply(user_input=message)
