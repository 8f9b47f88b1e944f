"""The journal as a call uses it: when the store fails, that is reported once and the call goes on."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Protocol, TypeVar

from agent.journal.journal import Fence, Fenced, Journal, JournalError
from agent.journal.outbox import Aftercare, Notice
from agent.journal.records import CallEvent, CallRecord
from agent.metrics.catalogue import JOURNAL_FAILURES
from agent.turns import Turn

logger = logging.getLogger("agent.journal")

LOOK_EVERY_S = 0.1

Result = TypeVar("Result")


class Notices(Protocol):
    """Says what a webhook is told of a call; None: nothing."""

    def started(self, call: CallRecord) -> Notice | None:
        """The call begins."""

    def turn(self, turn: Turn) -> Notice | None:
        """A turn is written."""

    def event(self, event: CallEvent) -> Notice | None:
        """Something happened that is no turn."""


class CallJournal:
    """What a call writes and reads. No method raises for a store that fails.

    Args:
        journal: the journal.
        call: the call.
        fence: what must be true for the call to write.
        aftercare: what is to be done for the call beside its turns.
        notices: says what a webhook is told.

    Attributes:
        failed: the store has failed, or never was one that outlives the process.
        lost: how many reads and writes failed.
    """

    def __init__(
        self,
        journal: Journal,
        call: CallRecord,
        fence: Fence | None = None,
        aftercare: Aftercare | None = None,
        notices: Notices | None = None,
    ) -> None:
        self.failed = not journal.durable
        self.lost = 0
        self._journal = journal
        self._call = call
        self._fence = fence
        self._aftercare = aftercare
        self._notices = notices
        self._left: set[str] = set()

    async def started(self) -> None:
        """The call begins."""
        notice = self._notices.started(self._call) if self._notices is not None else None
        await self._try(self._journal.call_started(self._call, self._aftercare, notice), None)

    async def ended(self, reason: str) -> None:
        """The call is over; the first reason stands. The report says if the journal lost something on the way."""
        if self.lost:
            await self.record(CallEvent(self._call.id, time.time(), "journal", {"failed": self.lost}))
        await self._try(self._journal.call_ended(self._call.id, reason), None)

    async def append(self, turn: Turn, *, delivered: bool) -> bool:
        """See `Journal.append`; False when the call was taken over, and the turn must not be announced."""
        notice = self._notices.turn(turn) if self._notices is not None else None
        try:
            await self._try(self._journal.append(turn, delivered=delivered, fence=self._fence, notice=notice), None)
        except Fenced as error:
            logger.warning("a turn is not written: %s", error, extra={"call_id": self._call.id, "turn_id": turn.id})
            return False
        return True

    async def latest_turns(self, limit: int) -> list[Turn]:
        """See `Journal.latest_turns`."""
        return await self._try(self._journal.latest_turns(self._call.conversation_id, limit), [])

    async def mark_delivered(self, turn_id: str, seq: int | None) -> None:
        """See `Journal.mark_delivered`."""
        await self._try(self._journal.mark_delivered(turn_id, seq), None)
        await self._settle_left(turn_id)

    async def mark_given_up(self, turn_id: str) -> None:
        """See `Journal.mark_given_up`."""
        await self._try(self._journal.mark_given_up(turn_id), None)
        await self._settle_left(turn_id)

    async def record(self, event: CallEvent) -> None:
        """See `Journal.record`."""
        notice = self._notices.event(event) if self._notices is not None else None
        await self._try(self._journal.record(event, notice), None)

    async def events_of_conversation(self, kind: str) -> list[CallEvent]:
        """See `Journal.events_of_conversation`; nothing when the store fails."""
        return await self._try(self._journal.events_of_conversation(self._call.conversation_id, kind), [])

    async def leftovers(self) -> list[Turn]:
        """What was said before this call's first turn and is left undelivered, once it is this call's to bring.

        What is said in this call comes after it, so this waits while the worker or another call is at it: until the
        thread has those turns, or that call gives them up, hands them over, or is gone.
        """
        conversation, call = self._call.conversation_id, self._call.id
        while True:
            left = await self._try(self._journal.claim(conversation, before=call), [])
            if left is not None:
                self._left = {turn.id for turn in left}
                return left
            await asyncio.sleep(LOOK_EVERY_S)  # another process has no way to tell us

    async def hand_over(self) -> None:
        """Leave what is undelivered to the worker."""
        await self._try(self._journal.hand_over(self._call.id), None)
        await self._try(self._journal.release(self._call.conversation_id), None)

    def close(self) -> None:
        """See `Journal.close`."""
        self._journal.close()

    async def _settle_left(self, turn_id: str) -> None:
        """With the last of what others have left, the claim is given up: what is left from now on is for others."""
        if turn_id in self._left:
            self._left.remove(turn_id)
            if not self._left:
                await self._try(self._journal.release(self._call.conversation_id), None)

    async def _try(self, work: Awaitable[Result], otherwise: Result) -> Result:
        try:
            return await work
        except JournalError as error:
            JOURNAL_FAILURES.inc()
            if not self.failed:
                logger.error("the call goes on without the journal: %s", error, extra={"call_id": self._call.id})
            self.failed = True
            self.lost += 1
            return otherwise
