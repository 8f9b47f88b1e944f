"""The chat backend answers: the user's turns are posted as questions, its messages are spoken as they arrive."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from livekit.agents import AgentSession, llm
from livekit.agents.voice import SpeechHandle

from agent.brains.assistant import Assistant
from agent.brains.thread_turns import is_answered, last_question, to_turn
from agent.call.transcript import turn_from_item
from agent.chat.bridge import Role
from agent.chat.courier import Delivered
from agent.chat.frames import ThreadMessage, TypingNotice
from agent.conversation import Conversation, Settle, typed_in_thread
from agent.job import Job
from agent.phrases import Phrase
from agent.turns import Kind, Speaker, Turn

logger = logging.getLogger("agent.backend_brain")

SILENCE_S = 10.0
HISTORY_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A message of the backend that is being spoken, or waits for its turn."""

    turn: Turn
    handle: SpeechHandle


@dataclass(frozen=True, slots=True)
class BackendLinks:
    """What the brain wants of the call.

    Args:
        ask_again: posts the user's turn once more; a backend that has it does nothing.
        show_thinking: shows in the room that an answer is on its way, or no longer.
        lost: told when the thread cannot be reached any more.
    """

    ask_again: Callable[[Turn], None]
    show_thinking: Callable[[bool], None]
    lost: Callable[[], None]


class BackendBrain:
    """See `Brain`.

    Args:
        job: how the agent presents itself.
        conversation: where turns have their place.
        session: the call's session, which has no language model.
        links: what the brain wants of the call.
        words: the agent's own sentences, in the language of the moment.
        silence_s: seconds after which the backend's silence is said aloud, once, and the question is asked again.
    """

    role = Role.ASKS
    model = None

    def __init__(
        self,
        job: Job,
        conversation: Conversation,
        session: AgentSession[None],
        links: BackendLinks,
        words: Callable[[Phrase], str],
        silence_s: float = SILENCE_S,
    ) -> None:
        self.assistant = Assistant(job.agent.instructions, on_user_turn=self._user_spoke)
        self._job = job
        self._conversation = conversation
        self._session = session
        self._links = links
        self._words = words
        self._silence_s = silence_s
        self._question: Turn | None = None  # the user's latest turn, while its answer has not begun
        self._waits = False  # and somebody still hopes for it
        self._asked = asyncio.Event()
        self._answered = asyncio.Event()
        self._spoken: list[_Spoken] = []
        self._before: list[Turn] = []
        self._read = asyncio.Event()

    @property
    def owes_answer(self) -> bool:
        """See `Brain`; a backend that was silent for too long owes nothing any more."""
        return (self._question is not None and self._waits) or bool(self._spoken)

    async def ready(self) -> None:
        """See `Brain`: the backend knows its thread itself."""

    def begin(self) -> None:
        """See `Brain`."""
        if self._job.agent.greeting:
            self._session.say(self._job.agent.greeting)

    async def resume(self, turns: Sequence[Turn]) -> None:
        """See `Brain`: what the backend answered meanwhile is spoken now."""
        self._speak(Phrase.CUT_OFF)
        try:
            await asyncio.wait_for(self._read.wait(), HISTORY_TIMEOUT_S)
        except TimeoutError:
            logger.warning("the thread cannot be read yet, the call goes on without it")
        in_thread, spoken = {turn.id for turn in self._before}, {turn.id for turn in turns}
        known = [*self._before, *(turn for turn in turns if turn.id not in in_thread)]
        question = last_question(known)
        if question is None or is_answered(question, turns):
            return
        self._ask(question)
        for turn in known[known.index(question) + 1 :]:
            if turn.speaker is Speaker.ASSISTANT and turn.id not in spoken and self._is_wanted(turn):
                self._answer(turn)

    async def run(self) -> None:
        """See `Brain`: watch over the backend's silence."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._wait_for_answer()

    def room_text(self, turn: Turn) -> None:
        """See `Brain`."""
        self._interrupt()
        if self._conversation.add(turn):
            self._ask(turn)

    def said(self, item: llm.ChatMessage, turn: Turn, settle: Settle | None) -> None:
        """See `Brain`: a message of the backend stands in the thread already; the journal gets what was heard of it."""
        if turn.speaker is Speaker.USER:
            return  # see _user_spoke
        spoken = next((s for s in self._spoken if item in s.handle.chat_items), None)
        if spoken is None:
            self._conversation.add(turn, settle)  # the greeting, or what the agent says by itself
            return
        heard = replace(turn, id=spoken.turn.id, reply_to=spoken.turn.reply_to, seq=spoken.turn.seq)
        self._conversation.add_from_thread(heard, settle)

    # The thread (see `ThreadListener`).

    def thread_read(self, messages: list[ThreadMessage]) -> None:
        """What stands in the thread is the backend's affair."""
        self._before = [to_turn(message, self._conversation.id) for message in messages]
        self._conversation.remember(self._before)
        self._read.set()

    def thread_message(self, message: ThreadMessage) -> None:
        """The echo of ours, something typed, or the backend's answer."""
        turn = replace(to_turn(message, self._conversation.id), call_id=self._conversation.call_id)
        if self._conversation.find(turn.id) is not None or any(s.turn.id == turn.id for s in self._spoken):
            return
        if typed_in_thread(turn):
            self._interrupt()
            self._conversation.add_from_thread(turn)
            self._ask(turn)
        elif turn.speaker is Speaker.ASSISTANT and turn.kind is Kind.SPEECH and self._is_wanted(turn):
            self._answer(turn)
        else:
            self._conversation.remember([turn])

    def thread_typing(self, notice: TypingNotice) -> None:
        """The backend thinks."""
        if notice.role is not Speaker.USER and self._question is not None:
            self._links.show_thinking(notice.active)

    def thread_lost(self) -> None:
        """There will be no answer any more."""
        self._links.lost()
        self._speak(Phrase.NO_ANSWER)

    def turn_delivered(self, delivered: Delivered) -> None:
        """The thread has one of our turns."""
        self._conversation.delivered(delivered.turn_id, delivered.seq)

    def turn_given_up(self, turn_id: str) -> None:
        """Nothing that was said later waits for it."""
        self._conversation.given_up(turn_id)

    def _user_spoke(self, item: llm.ChatMessage) -> None:
        turn = turn_from_item(item, self._conversation.id, self._conversation.call_id, None)
        if turn is not None and self._conversation.add(turn):
            self._ask(turn)

    def _ask(self, turn: Turn) -> None:
        """The user went on: what waits to be spoken is not spoken over them."""
        for spoken in self._spoken:
            spoken.handle.interrupt(force=True)
        self._question = turn
        self._waits = True
        self._answered.clear()
        self._asked.set()

    async def _wait_for_answer(self) -> None:
        for phrase in (Phrase.STILL_WAITING, Phrase.NO_ANSWER):
            try:
                await asyncio.wait_for(self._answered.wait(), self._silence_s)
            except TimeoutError:
                question = self._question
                if question is None or self._asked.is_set():
                    return
                logger.warning("the chat backend is silent", extra={"turn_id": question.id})
                self._speak(phrase)
                self._links.ask_again(question)
                self._waits = phrase is Phrase.STILL_WAITING
            else:
                return

    def _is_wanted(self, turn: Turn) -> bool:
        """Whether an answer is to be spoken: one to an earlier question comes too late, it is only written."""
        current = self._question.id if self._question is not None else self._conversation.answering
        return turn.reply_to in (None, current)

    def _answer(self, turn: Turn) -> None:
        if self._question is not None:
            self._conversation.answering = self._question.id
            self._question = None
        self._answered.set()
        self._links.show_thinking(False)
        handle = self._session.say(turn.text)  # the session waits until the user is silent
        spoken = _Spoken(turn, handle)
        self._spoken.append(spoken)
        handle.add_done_callback(lambda _: self._spoken_to_the_end(spoken))

    def _spoken_to_the_end(self, spoken: _Spoken) -> None:
        self._spoken.remove(spoken)
        self._conversation.remember([spoken.turn])  # if none of it was heard, it stands in the thread all the same

    def _speak(self, phrase: Phrase) -> None:
        self._session.say(self._words(phrase))

    def _interrupt(self) -> None:
        if self._session.current_speech is not None:
            self._session.interrupt(force=True)
