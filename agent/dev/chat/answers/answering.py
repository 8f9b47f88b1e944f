"""When the server itself answers: each open question once, in order, while no worker is attached to the thread."""

import asyncio
import logging
from collections.abc import Sequence

from agent.dev.chat.answers.responder_client import ModelUnavailable, ResponderClient
from agent.dev.chat.thread.messages import Message, NewMessage, new_message_id
from agent.dev.chat.thread.posting import Posting
from agent.dev.chat.thread.schema import StoreError
from agent.dev.chat.thread.store import ChatStore
from agent.dev.chat.wire.actions import MODEL_UNAVAILABLE, Bad
from agent.dev.chat.wire.hub import ThreadHub
from agent.turns import Channel, Speaker

logger = logging.getLogger("agent.dev.chat.answering")

GRACE_S = 3.0
AUTHOR = "Assistant"


class Answering:
    """Answers what was typed, one question of a thread after the other.

    A worker that attaches takes over: what is not answered by then is left to it. When it goes and leaves a question
    open, the server waits `grace_s` seconds for a worker to come back (a reconnect), and then answers.

    Args:
        store: knows which questions are open, over restarts too.
        hub: knows whether a worker is attached, and shows that an answer is on its way.
        posting: stores and shows the answer.
        responder: the language model.
        history_turns: how many messages before a question the model is shown.
        grace_s: seconds.
    """

    def __init__(
        self,
        store: ChatStore,
        hub: ThreadHub,
        posting: Posting,
        responder: ResponderClient,
        history_turns: int,
        grace_s: float = GRACE_S,
    ) -> None:
        self._store = store
        self._hub = hub
        self._posting = posting
        self._responder = responder
        self._history_turns = history_turns
        self._grace_s = grace_s
        self._asked: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._generating: dict[str, asyncio.Task[str]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closed = False
        hub.watch_workers(on_attach=self._worker_came, on_detach=self.check_later)

    def asked(self, conversation_id: str) -> None:
        """A question was stored; answer what is open, unless a worker does."""
        self._stop_timer(conversation_id)
        if self._closed or self._hub.has_worker(conversation_id):
            return
        self._asked.add(conversation_id)
        if conversation_id not in self._tasks:
            self._tasks[conversation_id] = asyncio.create_task(self._run(conversation_id), name="chat answers")

    def check_later(self, conversation_id: str) -> None:
        """Answer what is still open after the grace, unless a worker attaches before."""
        if self._closed:
            return
        self._stop_timer(conversation_id)
        loop = asyncio.get_running_loop()
        self._timers[conversation_id] = loop.call_later(self._grace_s, self.asked, conversation_id)

    async def close(self) -> None:
        """Answer nothing more; what is open stays open in the store."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _worker_came(self, conversation_id: str) -> None:
        self._stop_timer(conversation_id)
        self._asked.discard(conversation_id)
        if (generating := self._generating.get(conversation_id)) is not None:
            generating.cancel()

    def _stop_timer(self, conversation_id: str) -> None:
        if (timer := self._timers.pop(conversation_id, None)) is not None:
            timer.cancel()

    async def _run(self, conversation_id: str) -> None:
        try:
            while conversation_id in self._asked:
                self._asked.discard(conversation_id)
                while (waiting := await self._store.open_questions(conversation_id)) and self._may_answer(
                    conversation_id
                ):
                    await self._answer(waiting[0])
        except StoreError as error:
            logger.error("no answer: %s", error, extra={"conversation_id": conversation_id})
        finally:
            del self._tasks[conversation_id]

    def _may_answer(self, conversation_id: str) -> bool:
        return not self._hub.has_worker(conversation_id)

    async def _answer(self, question: Message) -> None:
        conversation_id = question.conversation_id
        history = await self._history(question)
        self._hub.show_thinking(conversation_id, active=True)
        try:
            text = await self._generate(conversation_id, history)
            if text is not None and self._may_answer(conversation_id):
                await self._posting.post(_reply(question, text))
        except ModelUnavailable as error:
            logger.error("the model cannot be reached: %s", error, extra={"conversation_id": conversation_id})
            await self._store.close_question(conversation_id, question.id)
            self._hub.show_error(
                conversation_id, Bad(MODEL_UNAVAILABLE, "the model cannot be reached; try again later", question.id)
            )
        finally:
            self._hub.show_thinking(conversation_id, active=False)

    async def _history(self, question: Message) -> list[Message]:
        """The thread as the answer has to see it: the question last, those that came after it not at all."""
        thread, later = question.conversation_id, await self._store.count(question.conversation_id) - question.seq
        newest = await self._store.newest_messages(thread, 0, self._history_turns + later + 1)
        earlier = [m for m in reversed(newest) if m.seq < question.seq or m.role is Speaker.ASSISTANT]
        return [*earlier[max(0, len(earlier) - self._history_turns) :], question]

    async def _generate(self, conversation_id: str, history: Sequence[Message]) -> str | None:
        """The model's answer, or None when a worker took over meanwhile."""
        task = asyncio.create_task(self._responder.answer(history), name="chat model")
        self._generating[conversation_id] = task
        try:
            await asyncio.wait({task})
        finally:
            del self._generating[conversation_id]
            task.cancel()
            await asyncio.wait({task})
        return None if task.cancelled() else task.result()


def _reply(question: Message, text: str) -> NewMessage:
    return NewMessage(
        conversation_id=question.conversation_id,
        id=new_message_id(),
        role=Speaker.ASSISTANT,
        text=text,
        channel=Channel.CHAT,
        reply_to=question.id,
        author=AUTHOR,
    )
