"""A real session of livekit-agents in text, with a model that follows a script, and tools as a call has them."""

import asyncio
import itertools
import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from livekit.agents import AgentSession, APIConnectOptions, ConversationItemAddedEvent, llm

from agent.brains.model_brain import Memory, ModelBrain
from agent.call.transcript import turn_from_item
from agent.conversation import Conversation
from agent.job import Job, JobAgent
from agent.journal import CallEvent, CallRecord, SqliteJournal
from agent.journal.forgiving import CallJournal
from agent.manners.requests import VoiceRequests
from agent.phrases import Phrase, say
from agent.recording.call_recording import CallRecording
from agent.recording.sensitive_input import SensitiveInput
from agent.tools.call_tools import CallTools
from agent.tools.ledger import KIND, ToolLedger
from agent.tools.runner import ToolRunner
from agent.tools.spec import ToolSpecs
from agent.turns import Turn
from tests.support.turns import make_turn


@dataclass(frozen=True)
class Calls:
    """What a model calls instead of saying something."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


ANNOUNCEMENT = "This is recorded."
Script = Callable[[list[llm.ChatItem]], str | Calls]
_ids = itertools.count(1)


class ScriptedModel(llm.LLM[Any]):
    """A language model whose answers the test decides; `told` is what it was told each time."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self.script = script
        self.told: list[list[llm.ChatItem]] = []
        self.offered: list[list[str]] = []

    def chat(self, *, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None = None, **_: Any) -> llm.LLMStream:
        """See `LLM`."""
        self.told.append(list(chat_ctx.items))
        self.offered.append([tool.id for tool in tools or []])
        return _Stream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=APIConnectOptions())


class _Stream(llm.LLMStream):
    async def _run(self) -> None:
        model = self._llm
        assert isinstance(model, ScriptedModel)
        answer = model.script(list(self._chat_ctx.items))
        if isinstance(answer, Calls):
            call = llm.FunctionToolCall(
                name=answer.tool, arguments=json.dumps(answer.arguments), call_id=f"call_{next(_ids)}"
            )
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
        else:
            delta = llm.ChoiceDelta(role="assistant", content=answer)
        self._event_ch.send_nowait(llm.ChatChunk(id=f"chunk_{next(_ids)}", delta=delta))


def follow(*answers: str | Calls) -> Script:
    """A script of answers, one after the other; then it only says "done"."""
    left = list(answers)
    return lambda _: left.pop(0) if left else "done"


def last_output(items: list[llm.ChatItem]) -> llm.FunctionCallOutput:
    """What the model was told last by a tool."""
    return next(item for item in reversed(items) if item.type == "function_call_output")


class TalkingModel:
    """One call in text."""

    def __init__(
        self, model: ScriptedModel, session: AgentSession[None], brain: ModelBrain, conversation: Conversation
    ) -> None:
        self.model = model
        self.session = session
        self.brain = brain
        self.conversation = conversation
        self.announced: list[Turn] = []

    async def user(self, text: str) -> None:
        """The user types; returns when the reply is over."""
        await self.session.generate_reply(user_input=self.message(text))

    def message(self, text: str) -> llm.ChatMessage:
        """What the user types takes its place in the conversation."""
        turn = make_turn(text, id=f"user_{next(_ids)}")
        self.conversation.add(turn)
        self.conversation.answering = turn.id
        return llm.ChatMessage(role="user", content=[text], id=turn.id)

    @property
    def said(self) -> list[str]:
        """What the agent said so far."""
        return [turn.text for turn in self.conversation.turns if turn.speaker == "assistant" and turn.kind == "speech"]

    async def until(self, condition: Callable[[], bool], timeout: float = 20.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.02)


async def tool_events(path: Path, conversation: str = "c") -> list[CallEvent]:
    """What the journal holds of tools."""
    with SqliteJournal(path) as journal:
        return await journal.events_of_conversation(conversation, KIND)


def _listen(session: AgentSession[None], brain: ModelBrain, call_id: str) -> None:
    """What the agent says takes its place in the conversation."""

    def added(event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, llm.ChatMessage) and event.item.role == "assistant":
            turn = turn_from_item(event.item, "c", call_id, None)
            if turn is not None:
                brain.said(event.item, turn, None)

    session.on("conversation_item_added", added)


@asynccontextmanager
async def talking(
    script: Script,
    specs: ToolSpecs,
    journal_path: Path,
    *,
    environment: Mapping[str, str] | None = None,
    call_id: str = "call",
    language: str = "en",
    recorded_in: Path | None = None,
) -> AsyncIterator[TalkingModel]:
    """A call with these tools; it ends as a call does. Where it is recorded, the model may pause that."""
    store = SqliteJournal(journal_path)
    journal = CallJournal(store, CallRecord(call_id, "c", "room", time.time()))
    await journal.started()
    announced: list[Turn] = []
    conversation = Conversation("c", call_id, journal, announced.append)
    writer = asyncio.create_task(conversation.run())
    model = ScriptedModel(script)
    session: AgentSession[None] = AgentSession(llm=model)
    recording = CallRecording(call_id, ANNOUNCEMENT, recorded_in or Path(os.devnull), 7, 16_000, journal)
    runner = ToolRunner(
        conversation,
        ToolLedger(journal, call_id),
        language,
        lambda: session.say(say(Phrase.STILL_WORKING, language)),
        recording.paused,
    )
    own = [SensitiveInput(recording).tool] if recorded_in is not None else []
    tools = CallTools(specs, environment or {}, ssl.create_default_context(), runner, own)
    job = Job(conversation_id="c", agent=JobAgent(language=language))
    requests = VoiceRequests(lambda: language, lambda phrase: say(phrase, language))
    brain = ModelBrain(job, model, conversation, session, Memory(50, 100_000), tools, lambda: None, requests)
    for note in await tools.left_behind():
        brain.note(note)
    call = TalkingModel(model, session, brain, conversation)
    call.announced = announced

    _listen(session, brain, call_id)
    await session.start(brain.assistant, record=False)
    running = asyncio.create_task(tools.run(brain.assistant.update_tools))
    if recorded_in is not None:
        recording.announce(session)
        await recording.run()
    try:
        yield call
    finally:
        await session.aclose()
        await recording.finish()
        await tools.finish()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        conversation.finish()
        await writer
        await journal.ended("test")
        journal.close()
