"""The agent of a call as livekit-agents sees it: what the model is told, and which words were typed."""

from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

from livekit.agents import Agent, FlushSentinel, ModelSettings, llm

from agent.conversation import typed_in_thread
from agent.job import Job
from agent.turns import Turn

TYPED_MARK = "[typed] "
TYPED_NOTE = (
    f'\n\nThe person speaks and types in the same conversation. A message that begins with "{TYPED_MARK.strip()}" '
    "was typed; every other one was spoken. Never say the mark itself."
)


class Assistant(Agent):
    """One call's agent.

    Args:
        job: instructions and name.
        history: the turns of the thread before this call.
        find_turn: looks up a turn by its id, to tell what was typed from what was said.
    """

    def __init__(self, job: Job, history: Iterable[Turn], find_turn: Callable[[str], Turn | None]) -> None:
        super().__init__(instructions=job.agent.instructions + TYPED_NOTE, chat_ctx=to_chat_context(history))
        self._find_turn = find_turn

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterable[llm.ChatChunk | str | FlushSentinel]:
        """The default node, over a context in which typed messages are marked."""
        marked = mark_typed(chat_ctx, self._find_turn)
        result: Any = Agent.default.llm_node(self, marked, tools, model_settings)
        async for chunk in result:
            yield chunk

    async def add_history(self, turns: Iterable[Turn]) -> None:
        """Turns of the thread that became known after the call began: context for the next reply."""
        context = self.chat_ctx.copy()
        for item in to_chat_context(turns).items:
            if context.get_by_id(item.id) is None:
                context.insert(item)
        await self.update_chat_ctx(context)


def to_chat_context(turns: Iterable[Turn]) -> llm.ChatContext:
    """Turns as the model's context, each item with its turn's id."""
    context = llm.ChatContext.empty()
    for turn in turns:
        context.add_message(
            role=turn.speaker.value,
            content=turn.text,
            id=turn.id,
            interrupted=turn.interrupted,
            created_at=turn.started_at,
        )
    return context


def mark_typed(context: llm.ChatContext, find_turn: Callable[[str], Turn | None]) -> llm.ChatContext:
    """A copy in which each message that a person typed begins with the mark that the instructions explain."""
    marked = context.copy()
    for index, item in enumerate(marked.items):
        if item.type == "message" and (turn := find_turn(item.id)) is not None and typed_in_thread(turn):
            marked.items[index] = item.model_copy(update={"content": [TYPED_MARK + (item.raw_text_content or "")]})
    return marked
