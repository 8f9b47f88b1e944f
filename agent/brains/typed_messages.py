"""What a person types during a call, in the thread or in the room: it interrupts as speech would and is answered."""

import asyncio
import logging
import time

from livekit.agents import AgentSession, llm

from agent.conversation import Conversation
from agent.metrics.catalogue import INPUTS_REFUSED
from agent.pace import Pace
from agent.turns import Channel, Turn

logger = logging.getLogger("agent.typed_messages")

INTERRUPT_TIMEOUT_S = 2.0
# A person does not type faster; what comes faster is a flood, and must not keep the agent from speaking.
BURST = 5
INTERVAL_S = 1.0
# More than the model is told by default (CONTEXT_TOKENS).
MAX_CHARACTERS = 20_000


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
        self._waiting = 0
        self._pace = Pace(BURST, INTERVAL_S, time.monotonic)

    def put(self, turn: Turn) -> bool:
        """A typed turn to take in and to answer; one that is known already is left out.

        One that was typed in the thread has its place there, so it takes the same place here at once; one that came
        through the room takes its place after the reply that it cuts.

        Returns:
            False when it comes in a flood or is too long: it is neither taken in nor answered.
        """
        if self._conversation.find(turn.id) is not None:
            return True
        if len(turn.text) > MAX_CHARACTERS:
            INPUTS_REFUSED.inc(input="typed text length")
            return False
        if not self._pace.allows():
            INPUTS_REFUSED.inc(input="typed text rate")
            return False
        if turn.channel is Channel.CHAT:
            self._conversation.add_from_thread(turn)
        self._queue.put_nowait(turn)
        self._waiting += 1
        return True

    @property
    def waiting(self) -> bool:
        """Whether something was typed whose answer is not asked for yet."""
        return self._waiting > 0

    async def run(self) -> None:
        """Take in and answer what is put, until cancelled."""
        while True:
            turn = await self._queue.get()
            try:
                await self._take_in(turn)
            finally:
                self._waiting -= 1

    async def _take_in(self, turn: Turn) -> None:
        try:
            # Done when the cut reply has taken its place in the conversation, so that what follows comes after it.
            await asyncio.wait_for(self._session.interrupt(force=True), INTERRUPT_TIMEOUT_S)
        except TimeoutError:
            logger.warning("the reply under way took too long to stop; answering all the same")
        except RuntimeError:
            return  # the session is closing: the turn stands in the thread, or was refused to its sender
        if turn.channel is not Channel.CHAT and not self._conversation.add(turn):
            return
        self._conversation.answering = turn.id
        self._session.generate_reply(user_input=as_message(turn))


def as_message(turn: Turn) -> llm.ChatMessage:
    """A typed turn as the library's message, which keeps its id."""
    return llm.ChatMessage(role="user", content=[turn.text], id=turn.id, created_at=turn.started_at)
