"""Who answers in a call: a language model, or the chat backend. What the call wants of either."""

from collections.abc import Sequence
from typing import Any, Protocol

from livekit.agents import llm

from agent.brains.assistant import Assistant
from agent.chat.bridge import Role, ThreadListener
from agent.conversation import Settle
from agent.turns import Turn


class Brain(ThreadListener, Protocol):
    """Answers what the user says and types, and listens to the thread for it."""

    role: Role
    assistant: Assistant

    @property
    def model(self) -> llm.LLM[Any] | None:
        """The language model of the session; None when the session does not think."""

    @property
    def owes_answer(self) -> bool:
        """Whether the user has asked something, and no answer to it has begun."""

    async def ready(self) -> None:
        """What the brain needs to know before the session runs is known, or will not come in time."""

    def begin(self) -> None:
        """The session runs: greet, or answer what waits in the thread."""

    async def resume(self, turns: Sequence[Turn]) -> None:
        """The session runs, and goes on with a call that was cut off: say so, and answer what was left unanswered.

        Args:
            turns: the latest of the conversation, as the journal knows them; the thread may lack some as yet.
        """

    async def run(self) -> None:
        """What goes on beside the session, until cancelled."""

    def room_text(self, turn: Turn) -> None:
        """The user typed into the room."""

    def said(self, item: llm.ChatMessage, turn: Turn, settle: Settle | None) -> None:
        """The session added a message to its history.

        Args:
            item: the message.
            turn: the same as a turn.
            settle: makes the words of a cut reply those that were heard.
        """
