"""The worker's chore for calls that are over: make the summary, sum up, and queue the last notice.

The worker does it and not the call: a call ends at once, and one whose process was killed is settled all the same.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from agent.aftercare.plan import Plan, PlanError
from agent.journal import CallEvent, Journal, JournalEntry, JournalError
from agent.journal.outbox import CallOver, Lease
from agent.summary.spec import SummarySpec
from agent.summary.summary import Summary
from agent.turns import Turn
from agent.usage.entries import usage_of
from agent.usage.prices import PriceTable
from agent.usage.public import public_usage
from agent.webhook.delivery import new_holder
from agent.webhook.events import ended

logger = logging.getLogger("agent.aftercare")

LOOK_EVERY_S = 1.0
AT_ONCE = 4
# Longer than a summary takes.
LEASE_S = 180.0

Summarise = Callable[[str, SummarySpec, tuple[str, ...], list[Turn]], Awaitable[Summary]]


class CallSettler:
    """Settles calls that are over.

    Args:
        journal: the host's journal.
        prices: what models cost.
        summarise: makes the summary of a call, and records what that used; takes the call's id, what is asked for,
            the names of the call's models, and its turns.
        holder: the name under which calls are held, of everything that the process does for them.
    """

    def __init__(self, journal: Journal, prices: PriceTable, summarise: Summarise, holder: str = "") -> None:
        self._journal = journal
        self._prices = prices
        self._summarise = summarise
        self._holder = holder or new_holder()

    async def run(self) -> None:
        """Look and settle until cancelled."""
        while True:
            try:
                while await self.look():
                    pass
            except JournalError as error:
                logger.error("calls cannot be settled: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> int:
        """Settle some calls that are over; returns how many are settled now.

        Raises:
            JournalError: the journal cannot say which calls are over.
        """
        now = time.time()
        over = await self._journal.outbox.calls_over(Lease(self._holder, now, now + LEASE_S), AT_ONCE)
        return sum(await asyncio.gather(*(self._try(call) for call in over)))

    async def finish(self, timeout_s: float) -> None:
        """The worker ends: settle what is over, for so many seconds, and leave the rest to the next one."""
        try:
            await asyncio.wait_for(self.look(), timeout_s)
        except TimeoutError:
            logger.warning("calls wait to be settled at the next start")
        except JournalError as error:
            logger.error("calls cannot be settled: %s", error)
        finally:
            await self._leave()

    async def _leave(self) -> None:
        try:
            await self._journal.outbox.leave(self._holder)
        except JournalError as error:
            logger.error("%s", error)

    async def _try(self, over: CallOver) -> bool:
        try:
            await self._settle(over)
        except JournalError as error:
            logger.error("a call cannot be settled: %s", error, extra={"call_id": over.call.id})
            return False
        return True

    async def _settle(self, over: CallOver) -> None:
        call = over.call
        entries = await self._journal.entries_of_call(call.id)
        summary = await self._summary(over, [entry.turn for entry in entries])
        if call.ended_at is None:
            logger.warning("a call was lost: its process is gone", extra={"call_id": call.id})
        notice = ended(
            call,
            at=time.time(),
            turns=len(entries),
            undelivered=_undelivered(entries),
            usage=self._usage(call.id, await self._journal.events_of_call(call.id)),
            summary=None if summary is None else summary.public(),
        )
        await self._journal.outbox.settle(call.id, time.time(), notice if over.target is not None else None)

    async def _summary(self, over: CallOver, turns: list[Turn]) -> Summary | None:
        """The summary that was kept before this process began, or one that is made now."""
        if over.summary is not None:
            return Summary.from_json(over.summary)
        try:
            plan = Plan.parse(over.plan)
        except PlanError as error:
            logger.error("%s", error, extra={"call_id": over.call.id})
            return None
        if plan.summary is None:
            return None
        summary = await self._summarise(over.call.id, plan.summary, plan.models, turns)
        await self._journal.outbox.keep_summary(over.call.id, summary.to_json())
        return summary

    def _usage(self, call_id: str, events: list[CallEvent]) -> dict[str, Any] | None:
        try:
            return public_usage(usage_of(events, self._prices))
        except (KeyError, TypeError, ValueError):
            logger.error("what a call used cannot be read", extra={"call_id": call_id})
            return None


def _undelivered(entries: list[JournalEntry]) -> int:
    return sum(entry.delivered_at is None for entry in entries)
