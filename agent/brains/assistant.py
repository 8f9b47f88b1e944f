"""The agent of a call as livekit-agents sees it: what the model is told, and what it would have said."""

from collections.abc import AsyncIterable, Callable, Sequence
from typing import Any

from livekit import rtc
from livekit.agents import Agent, FlushSentinel, ModelSettings, llm, stt
from livekit.agents.types import TimedString

from plugins.speculative_stt import SpeculativeSTT, Unheard

Prepare = Callable[[llm.ChatContext], llm.ChatContext]


def _unchanged(context: llm.ChatContext) -> llm.ChatContext:
    return context


def _nothing(text: str) -> str | None:
    return None


class Assistant(Agent):
    """One call's agent.

    Args:
        instructions: what the model is told first.
        prepare: makes of what the session has said and heard what the model is told.
        on_user_turn: told of what the user has said, when the turn is over and before it is answered.
        tools: what the model can call.
        on_leaving: told when the session is about to end, before it waits for anything.
        answer: what is answered to the user's words instead of the model; None: the model answers.
    """

    def __init__(
        self,
        instructions: str,
        prepare: Prepare = _unchanged,
        on_user_turn: Callable[[llm.ChatMessage], None] | None = None,
        tools: Sequence[llm.Tool | llm.Toolset] = (),
        on_leaving: Callable[[], None] | None = None,
        answer: Callable[[str], str | None] = _nothing,
    ) -> None:
        super().__init__(instructions=instructions, tools=list(tools))
        self._prepare = prepare
        self._on_user_turn = on_user_turn
        self._on_leaving = on_leaving
        self._answer = answer
        # All that the reply under way, or else the last one, would have said.
        self.reply_text = ""

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        """The user's turn is over; a session without a model adds it to no history."""
        if self._on_user_turn is not None:
            self._on_user_turn(new_message)

    async def on_exit(self) -> None:
        """The session ends; it would wait for every tool that runs."""
        if self._on_leaving is not None:
            self._on_leaving()

    def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterable[stt.SpeechEvent | str]:
        """The default node; what hears the call has the audio from elsewhere already."""
        if isinstance(self.session.stt, SpeculativeSTT):
            audio = Unheard(audio)
        return Agent.default.stt_node(self, audio, model_settings)

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterable[llm.ChatChunk | str | FlushSentinel]:
        """The default node, over a prepared context; the model is not asked what needs none."""
        asked = chat_ctx.items[-1] if chat_ctx.items else None
        if (
            isinstance(asked, llm.ChatMessage)
            and asked.role == "user"
            and (words := self._answer(asked.text_content or "")) is not None
        ):
            yield words
            return
        result: Any = Agent.default.llm_node(self, self._prepare(chat_ctx), tools, model_settings)
        async for chunk in result:
            yield chunk

    async def transcription_node(
        self, text: AsyncIterable[str | TimedString], model_settings: ModelSettings
    ) -> AsyncIterable[str | TimedString]:
        """The default node, which also keeps the text: a reply that is cut is recorded as it was heard."""
        self.reply_text = ""
        result: Any = Agent.default.transcription_node(self, text, model_settings)
        async for chunk in result:
            self.reply_text += chunk
            yield chunk
