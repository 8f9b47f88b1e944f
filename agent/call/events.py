"""What the session tells of a call: turns for the conversation, captions for the thread, errors for the log."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    ConversationItemAddedEvent,
    ErrorEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
    llm,
)
from livekit.agents.voice import SpeechHandle

from agent.brains.brain import Brain
from agent.call.cut_reply import words_heard
from agent.call.transcript import turn_from_item, with_endpoint
from agent.call.voice_output import VoiceOutput
from agent.conversation import Conversation, Settle
from agent.turns import Channel, Speaker, Turn
from plugins.speculative_stt import SpeculativeSTT
from plugins.turn_actions import Dropped, Final

logger = logging.getLogger("agent.call_events")

WAITING = "…"
# The session goes on to its next speech, if there is one, a moment after one is done.
SETTLING_S = 0.05


class CallEvents:
    """Listens to the session of one call.

    Args:
        call_id: the call.
        session: the session.
        conversation: where turns have their place.
        brain: takes each turn in.
        hearing: transcribes what was played of a reply that is cut.
        voice: knows what was played.
        caption: shows what a speaker has said so far; the empty text ends it.
    """

    def __init__(
        self,
        call_id: str,
        session: AgentSession[None],
        conversation: Conversation,
        brain: Brain,
        hearing: SpeculativeSTT,
        voice: VoiceOutput,
        caption: Callable[[Speaker, str], None],
    ) -> None:
        # Told when a sound turns out to be no turn.
        self.on_dropped: Callable[[], None] = _nobody
        self._voice = voice
        self._final: Final | None = None
        self._user_caption = ""
        self._call_id = call_id
        self._session = session
        self._conversation = conversation
        self._brain = brain
        self._hearing = hearing
        self._caption = caption

    def listen(self) -> None:
        """From now on."""
        self._hearing.surroundings = self
        self._session.on("conversation_item_added", self._on_item)
        self._session.on("user_input_transcribed", self._on_transcript)
        self._session.on("user_state_changed", self._on_user_state)
        self._session.on("agent_state_changed", self._on_agent_state)
        self._session.on("error", self._on_error)

    # What the hearing wants to know and tells (see `Surroundings`).

    def agent_is_speaking(self) -> bool:
        """Whether the agent can be heard."""
        return self._session.agent_state == "speaking"

    def agent_asked(self) -> bool:
        """Whether the agent's last words were a question."""
        last = next((item for item in reversed(self._session.history.items) if item.type == "message"), None)
        return last is not None and last.role == "assistant" and (last.text_content or "").rstrip().endswith("?")

    def interrupted(self) -> None:
        """The agent stops for good: what it hears is no cough and no back-channel."""
        speech = self._session.current_speech
        if speech is not None and not speech.interrupted and speech.allow_interruptions:
            speech.interrupt()

    def when_free(self, act: Callable[[], None]) -> None:
        """While the agent speaks and must not be interrupted, the session would throw the user's turn away."""
        speech = self._session.current_speech
        if speech is None or speech.allow_interruptions:
            act()
            return
        loop = asyncio.get_running_loop()

        def again(_: SpeechHandle) -> None:
            loop.call_later(SETTLING_S, self.when_free, act)

        speech.add_done_callback(again)

    def turn_over(self, final: Final) -> None:
        """The transcript comes next."""
        self._final = final

    def turn_dropped(self, dropped: Dropped) -> None:
        """A sound without words, or a back-channel: nothing to show any more."""
        logger.debug("a sound was no turn: %s", dropped.why)
        self.on_dropped()
        self._show_user("")

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, llm.ChatMessage):
            turn = turn_from_item(event.item, self._conversation.id, self._call_id, None)
            if turn is not None:
                if self._session.output.audio is None:  # a call of text alone
                    turn = replace(turn, channel=Channel.ROOM)
                if turn.speaker is Speaker.USER and self._final is not None:
                    turn = with_endpoint(turn, self._final)
                    self._user_caption, self._final = "", None
                self._brain.said(event.item, turn, self._heard_of(event.item, turn) if turn.interrupted else None)

    def _heard_of(self, item: llm.ChatMessage, turn: Turn) -> Settle | None:
        """How the words of a cut reply become those that were heard, in the thread and in the model's context."""
        if (clip := self._voice.cut) is None:
            return None
        text = self._brain.assistant.reply_text

        async def settle() -> str:
            heard = await words_heard(self._hearing.recognizer, clip, text, turn.text)
            item.content = [heard]
            return heard

        return settle

    def _on_transcript(self, event: UserInputTranscribedEvent) -> None:
        if event.transcript:
            self._show_user(event.transcript)

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking" and not self._user_caption:
            self._show_user(WAITING)

    def _show_user(self, text: str) -> None:
        self._user_caption = text
        self._caption(Speaker.USER, text)

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        if event.new_state != "speaking":
            self._caption(Speaker.ASSISTANT, WAITING if event.new_state == "thinking" else "")

    def _on_error(self, event: ErrorEvent) -> None:
        stage = str(getattr(event.error, "type", type(event.error).__name__)).removesuffix("_error")
        logger.error("a model failed", extra={"call_id": self._call_id, "stage": stage})


def _nobody() -> None:
    """Nobody wants to know."""
