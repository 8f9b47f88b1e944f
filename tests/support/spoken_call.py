"""A call without its room: the worker's own conversation, journal and bridge, and turns as if somebody said them."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from agent.chat.bridge import Bridge, Role
from agent.chat.connection import CHAT_OPTIONS
from agent.chat.courier import Delivered
from agent.chat.dialect import Dialect
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import ThreadMessage, TypingNotice
from agent.conversation import Conversation
from agent.journal import CallRecord, Journal
from agent.journal.forgiving import CallJournal
from agent.turns import Turn
from agent.websocket import Options


class SpokenCall:
    """Puts the parts together as `agent.call.Call` does, and keeps what the thread told.

    `read` is what stood in the thread at the first connection (None before it), `told` what came since then and is not
    ours, `delivered` the ids of ours that the thread has.
    """

    def __init__(
        self,
        journal: Journal,
        call_id: str,
        endpoint: ChatEndpoint,
        dialect: Dialect,
        *,
        role: Role = Role.ANSWERS,
        options: Options = CHAT_OPTIONS,
    ) -> None:
        record = CallRecord(call_id, endpoint.conversation_id, f"room-{call_id}", time.time())
        self.journal = CallJournal(journal, record)
        self.conversation = Conversation(endpoint.conversation_id, call_id, self.journal, self._announce)
        self.bridge = Bridge(endpoint, dialect, self.journal.leftovers, self, role=role, options=options)
        self.read: list[ThreadMessage] | None = None
        self.told: list[ThreadMessage] = []
        self.echoes: list[ThreadMessage] = []
        self.delivered: list[str] = []
        self.lost = False
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """The call begins."""
        await self.journal.started()
        self._tasks = [asyncio.create_task(self.conversation.run()), asyncio.create_task(self.bridge.run())]

    def say(self, *turns: Turn) -> None:
        """Somebody said something."""
        for turn in turns:
            assert self.conversation.add(replace(turn, call_id=self.conversation.call_id))

    async def until(self, true: Callable[[], bool], timeout: float = 60.0) -> None:
        """Wait until something is so of what the thread told."""
        async with asyncio.timeout(timeout):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def settled(self, timeout: float = 60.0) -> None:
        """Wait until the thread has everything that was said."""
        async with asyncio.timeout(timeout):
            await self.conversation.written()
            await self.bridge.settled()

    async def end(self, timeout: float = 5.0) -> None:
        """The call ends as `Call` ends; raises what went wrong in one of its parts."""
        writer, *others = self._tasks
        await self.conversation.written()
        await self.bridge.close(timeout)
        self.conversation.finish()
        await writer
        async with asyncio.timeout(10):
            await asyncio.gather(*others)
        await self.journal.hand_over()
        await self.journal.ended("hung up")
        self._tasks.clear()

    async def stop(self) -> None:
        """End without waiting for the thread, if it has not ended."""
        if self._tasks:
            await self.end(timeout=0.0)

    def _announce(self, turn: Turn) -> None:
        self.bridge.deliver(turn)

    # From the bridge (see `ThreadListener`)

    def thread_read(self, messages: list[ThreadMessage]) -> None:
        assert self.read is None
        self.read = messages
        self._changed.set()

    def thread_message(self, message: ThreadMessage) -> None:
        ours = message.id is not None and self.conversation.find(message.id) is not None
        (self.echoes if ours else self.told).append(message)
        self._changed.set()

    def thread_typing(self, notice: TypingNotice) -> None:
        pass

    def thread_lost(self) -> None:
        self.lost = True
        self._tasks.append(asyncio.create_task(self.journal.hand_over()))
        self._changed.set()

    def turn_delivered(self, delivered: Delivered) -> None:
        self.delivered.append(delivered.turn_id)
        self.conversation.delivered(delivered.turn_id, delivered.seq)
        self._changed.set()

    def turn_given_up(self, turn_id: str) -> None:
        self.conversation.given_up(turn_id)
