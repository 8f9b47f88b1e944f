"""The worker's own courier: brings to the thread what calls left behind when their process died or chat was down."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from agent.chat.bridge import Bridge, Role
from agent.chat.connection import CHAT_OPTIONS
from agent.chat.courier import Delivered
from agent.chat.dialect import dialect_named
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import ThreadMessage, TypingNotice
from agent.job import Job
from agent.journal import Journal, JournalError
from agent.metrics.catalogue import DELIVERIES
from agent.settings import Settings
from agent.turns import Turn

logger = logging.getLogger("agent.delivery")

LOOK_EVERY_S = 1.0
ATTEMPT_S = 20.0
AT_ONCE = 8
FIRST_PAUSE_S = 2.0
# A chat server that is not there comes back some time; one that does not take a turn hardly changes its mind.
LONGEST_PAUSE_UNREACHED_S = 30.0
LONGEST_PAUSE_S = 900.0
# Within an attempt: enough links for the courier to learn that a server does not take a turn.
OPTIONS = replace(CHAT_OPTIONS, reconnect_attempts=3, reconnect_interval=1.0)


class Outcome(Enum):
    """What became of an attempt."""

    DELIVERED = "delivered"
    PROGRESS = "something was delivered, and something is left"
    LEFT = "the server was reached, and all is left"
    UNREACHED = "the server was not reached"
    NOTHING = "nothing is left, or others are at it"


@dataclass(frozen=True, slots=True)
class _Pause:
    """When a conversation is tried again (monotonic seconds), after how many seconds, and why."""

    until: float
    seconds: float
    why: Outcome


class LeftoverDelivery:
    """Looks for undelivered turns that no living process carries, and delivers them.

    Each conversation has attempts and pauses of its own: one that hangs holds up no other.

    Args:
        settings: where the chat is.
        journal: the host's journal.
        job_of: the job that a conversation was dispatched with, while this worker remembers it: its user's token is
            needed where the worker has none of its own, and a token is never written to the disk.
    """

    def __init__(self, settings: Settings, journal: Journal, job_of: Callable[[str], Job | None]) -> None:
        self._settings = settings
        self._journal = journal
        self._job_of = job_of
        self._pauses: dict[str, _Pause] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._journal_works = True

    async def run(self) -> None:
        """Look and deliver until cancelled."""
        if not self._settings.chat_api_url:
            return
        try:
            while True:
                await self._look()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def hurry(self) -> None:
        """Try what waits without a further pause: the worker ends, and there may be no later."""
        self._pauses.clear()

    async def _look(self) -> None:
        """Begin an attempt for each conversation that waits and is due, those that were never tried first."""
        try:
            waiting = await self._journal.conversations_pending()
        except JournalError as error:
            self._journal_failed(error)
            return
        self._journal_works = True
        self._pauses = {conversation: p for conversation, p in self._pauses.items() if conversation in waiting}
        now = time.monotonic()
        for conversation in sorted(waiting, key=lambda c: c in self._pauses):
            pause = self._pauses.get(conversation)
            if conversation not in self._under_way and (pause is None or pause.until <= now):
                task = asyncio.create_task(self._try(conversation), name="leftovers")
                self._under_way[conversation] = task

    async def _try(self, conversation_id: str) -> None:
        try:
            async with self._at_once:
                outcome = await self._attempt(conversation_id)
        except JournalError as error:
            self._journal_failed(error)
            outcome = Outcome.LEFT
        finally:
            del self._under_way[conversation_id]
        if outcome not in (Outcome.UNREACHED, Outcome.NOTHING):
            # The server is there again, for the other conversations, too.
            self._pauses = {c: p for c, p in self._pauses.items() if p.why is not Outcome.UNREACHED}
        if outcome is Outcome.DELIVERED:
            self._pauses.pop(conversation_id, None)
            logger.info("delivered what a call left behind", extra={"conversation_id": conversation_id})
        elif outcome is not Outcome.NOTHING:
            self._pauses[conversation_id] = self._pause_after(conversation_id, outcome)

    def _pause_after(self, conversation_id: str, outcome: Outcome) -> _Pause:
        if outcome is Outcome.PROGRESS:
            return _Pause(time.monotonic() + FIRST_PAUSE_S, FIRST_PAUSE_S, outcome)
        longest = LONGEST_PAUSE_UNREACHED_S if outcome is Outcome.UNREACHED else LONGEST_PAUSE_S
        before = self._pauses.get(conversation_id)
        seconds = min(before.seconds * 2, longest) if before is not None else FIRST_PAUSE_S
        return _Pause(time.monotonic() + seconds, seconds, outcome)

    async def _attempt(self, conversation_id: str) -> Outcome:
        if not (left := await self._journal.claim(conversation_id)):
            return Outcome.NOTHING
        try:
            return await self._deliver(conversation_id, left)
        finally:
            await self._journal.release(conversation_id)

    async def _deliver(self, conversation_id: str, left: list[Turn]) -> Outcome:
        async def leftovers() -> list[Turn]:
            return left

        job = self._job_of(conversation_id) or Job(conversation_id=conversation_id)
        # With a user's own token only an attached worker may speak for the assistant.
        role = Role.ANSWERS if job.user.token is not None else Role.CARRIES
        acknowledged = _Acknowledged()
        endpoint, dialect = ChatEndpoint.for_job(self._settings, job), dialect_named(self._settings.chat_dialect)
        bridge = Bridge(endpoint, dialect, leftovers, acknowledged, role=role, options=OPTIONS)
        marking = asyncio.create_task(self._mark(acknowledged), name="marking what is delivered")
        try:
            await _run_until_settled(bridge)
        finally:
            acknowledged.queue.put_nowait(None)
            await marking
        if acknowledged.count:
            return Outcome.DELIVERED if acknowledged.count == len(left) else Outcome.PROGRESS
        return Outcome.LEFT if bridge.reached else Outcome.UNREACHED

    async def _mark(self, acknowledged: "_Acknowledged") -> None:
        while (delivered := await acknowledged.queue.get()) is not None:
            await self._journal.mark_delivered(delivered.turn_id, delivered.seq)
            DELIVERIES.inc(carrier="worker")

    def _journal_failed(self, error: JournalError) -> None:
        if self._journal_works:
            logger.error("what calls left cannot be delivered: %s", error)
        self._journal_works = False


async def _run_until_settled(bridge: Bridge) -> None:
    """Run a bridge until everything is delivered, it ends, or the attempt has lasted long enough."""
    running = asyncio.create_task(bridge.run(), name="bridge")
    settled = asyncio.create_task(bridge.settled(), name="settled")
    try:
        await asyncio.wait({running, settled}, timeout=ATTEMPT_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not running.done():
            await bridge.close(0.0)
        settled.cancel()
        running.cancel()
        await asyncio.gather(settled, running, return_exceptions=True)
    if not running.cancelled() and (error := running.exception()) is not None:
        logger.error("the delivery of what a call left crashed", exc_info=error)


class _Acknowledged:
    """A thread listener that only wants the acknowledgements."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Delivered | None] = asyncio.Queue()
        self.count = 0

    def thread_read(self, messages: list[ThreadMessage]) -> None:
        """What the thread holds does not matter here."""

    def thread_message(self, message: ThreadMessage) -> None:
        """Nor does what is written in it."""

    def thread_typing(self, notice: TypingNotice) -> None:
        """Nor who is typing."""

    def thread_lost(self) -> None:
        """The next attempt comes by itself."""

    def turn_given_up(self, turn_id: str) -> None:
        """It stays in the journal, for the next attempt."""

    def turn_delivered(self, delivered: Delivered) -> None:
        """The thread has a turn."""
        self.count += 1
        self.queue.put_nowait(delivered)
