"""A language model answers; every turn is written to the thread, and the thread is what the model knows."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from livekit.agents import AgentSession, llm

from agent.brains.assistant import Assistant
from agent.brains.model_context import TYPED_NOTE, Overheard, fit, mark_typed, with_results_last, with_thread
from agent.brains.thread_turns import is_answered, last_question, to_turn, unanswered
from agent.brains.trust import TRUST_NOTE
from agent.brains.typed_messages import TypedMessages, as_message
from agent.chat.bridge import Role
from agent.chat.courier import Delivered
from agent.chat.frames import ThreadMessage, TypingNotice
from agent.conversation import Conversation, Settle, typed_in_thread
from agent.job import Job
from agent.manners.requests import VoiceRequests
from agent.phrases import Phrase, say
from agent.tools.call_tools import CallTools
from agent.tools.untrusted import EXPLANATION
from agent.turns import Speaker, Turn

logger = logging.getLogger("agent.model_brain")

HISTORY_TIMEOUT_S = 2.0
# The session has begun to answer a turn so many seconds after it came, and says itself from then on that it is at it.
UNANSWERED_S = 1.0
# How many messages that nobody here answers the model is told at most.
OVERHEARD = 100


@dataclass(frozen=True, slots=True)
class Memory:
    """How much the model is told.

    Args:
        history_turns: how many turns of the thread before the call it knows.
        context_tokens: how many tokens it is told at most, about.
    """

    history_turns: int
    context_tokens: int


class ModelBrain:
    """See `Brain`.

    Args:
        job: how the agent presents itself.
        model: the language model.
        conversation: where turns have their place.
        session: the call's session; it runs before `begin` is called.
        memory: how much the model is told.
        tools: what it can call.
        lost: told when the thread cannot be reached any more.
        requests: answers what needs no model.
        own_tools: what the model can do to the call itself.
    """

    role = Role.ANSWERS

    def __init__(
        self,
        job: Job,
        model: llm.LLM[Any],
        conversation: Conversation,
        session: AgentSession[None],
        memory: Memory,
        tools: CallTools,
        lost: Callable[[], None],
        requests: VoiceRequests,
        own_tools: Sequence[llm.RawFunctionTool[..., Any]] = (),
    ) -> None:
        self.model: llm.LLM[Any] | None = model
        self.assistant = Assistant(
            job.agent.instructions + TYPED_NOTE + TRUST_NOTE + (EXPLANATION if tools.expected else ""),
            self._prepare,
            tools=_together(tools.functions, own_tools),
            on_leaving=tools.stop_waiting,
            answer=requests.answer,
        )
        self._job = job
        self._conversation = conversation
        self._session = session
        self._memory = memory
        self._lost = lost
        self._requests = requests
        self._own_tools = own_tools
        self._typed = TypedMessages(conversation, session)
        self._cut_off: Sequence[Turn] = ()  # what the call before this one knew, if it was cut off
        self._before: list[Turn] = []
        self._notes: list[Turn] = []
        self._during: deque[Overheard] = deque(maxlen=OVERHEARD)
        self._read = asyncio.Event()
        self._asked_at = 0.0

    @property
    def owes_answer(self) -> bool:
        """See `Brain`."""
        if self._typed.waiting:
            return True
        question = self._conversation.answering
        if question is None or time.monotonic() - self._asked_at > UNANSWERED_S:
            return False
        return not any(turn.reply_to == question for turn in self._conversation.turns)

    async def offer(self, tools: list[llm.Tool | llm.Toolset]) -> None:
        """The call has these tools now."""
        await self.assistant.update_tools(_together(tools, self._own_tools))

    async def ready(self) -> None:
        """See `Brain`: the thread before the call is known, or does not come in time and is known later."""
        try:
            await asyncio.wait_for(self._read.wait(), HISTORY_TIMEOUT_S)
        except TimeoutError:
            logger.warning("the thread cannot be read yet, the call begins without it")

    def begin(self) -> None:
        """See `Brain`: what was typed just before the call is answered; else the agent greets."""
        if (waiting := unanswered(self._before, now=time.time())) is not None:
            self._conversation.answering = waiting.id
            self._session.generate_reply(user_input=as_message(waiting))
        elif self._job.agent.greeting:
            self._session.say(self._job.agent.greeting)

    async def resume(self, turns: Sequence[Turn]) -> None:
        """See `Brain`."""
        self._session.say(say(Phrase.CUT_OFF, self._job.agent.language))
        self._cut_off = turns
        self._set_before(self._before)
        await self.ready()
        waiting = last_question(self._before)
        if waiting is not None and not is_answered(waiting, self._before):
            self._conversation.answering = waiting.id
            # Asked anew, after the apology: the library orders what it tells the model by time.
            self._session.generate_reply(user_input=as_message(replace(waiting, started_at=time.time())))

    async def run(self) -> None:
        """See `Brain`."""
        await self._typed.run()

    def note(self, turn: Turn) -> None:
        """Something about earlier calls that the thread and the model are to know; before `begin`."""
        self._conversation.add(turn)
        self._notes.append(turn)

    def room_text(self, turn: Turn) -> None:
        """See `Brain`."""
        self._asked_at = time.monotonic()
        self._typed.put(turn)

    def said(self, item: llm.ChatMessage, turn: Turn, settle: Settle | None) -> None:
        """See `Brain`."""
        if turn.speaker is Speaker.USER:
            self._conversation.answering = turn.id
            self._asked_at = time.monotonic()
            self._requests.user_said(turn.text)
        else:
            self._requests.agent_said(self.assistant.reply_text if turn.interrupted else turn.text)
            turn = replace(turn, reply_to=self._conversation.answering)
        self._conversation.add(turn, settle)

    # The thread (see `ThreadListener`).

    def thread_read(self, messages: list[ThreadMessage]) -> None:
        """What stands in the thread."""
        turns = [to_turn(message, self._conversation.id) for message in messages]
        of_this_call = {turn.id for turn in self._conversation.turns} - {turn.id for turn in self._before}
        self._set_before([turn for turn in turns if turn.id not in of_this_call])
        self._read.set()

    def thread_message(self, message: ThreadMessage) -> None:
        """The echo of ours, something typed, or another's."""
        turn = to_turn(message, self._conversation.id)
        if self._conversation.find(turn.id) is not None:
            return
        if typed_in_thread(turn) and self._typed.put(replace(turn, call_id=self._conversation.call_id)):
            self._asked_at = time.monotonic()
            return
        self._conversation.remember([turn])
        self._during.append(Overheard(time.time(), turn))

    def thread_typing(self, notice: TypingNotice) -> None:
        """The model answers here, so nobody else's typing matters."""

    def thread_lost(self) -> None:
        """Turns wait in the journal from now on."""
        self._lost()

    def turn_delivered(self, delivered: Delivered) -> None:
        """The thread has one of our turns."""
        self._conversation.delivered(delivered.turn_id, delivered.seq)

    def turn_given_up(self, turn_id: str) -> None:
        """Nothing that was said later waits for it."""
        self._conversation.given_up(turn_id)

    def _set_before(self, turns: list[Turn]) -> None:
        """What was said before this call: the thread, and what a call that was cut off could not bring there yet."""
        known = {turn.id for turn in turns}
        whole = [*turns, *(turn for turn in self._cut_off if turn.id not in known)]
        self._before = whole[max(0, len(whole) - self._memory.history_turns) :]
        self._conversation.remember(self._before)

    def _prepare(self, context: llm.ChatContext) -> llm.ChatContext:
        """What the model is told: the thread and the call, typed messages marked, within the budget."""
        whole = with_thread(context, [*self._before, *self._notes], self._during)
        marked = mark_typed(with_results_last(whole), self._conversation.find)
        return fit(marked, self._memory.context_tokens)


def _together(
    tools: Sequence[llm.Tool | llm.Toolset], own: Sequence[llm.RawFunctionTool[..., Any]]
) -> list[llm.Tool | llm.Toolset]:
    """The call's tools and the agent's own; a tool of the same name replaces one of those."""
    names = {tool.info.name for tool in tools if isinstance(tool, llm.FunctionTool | llm.RawFunctionTool)}
    return [*tools, *(tool for tool in own if tool.info.name not in names)]
