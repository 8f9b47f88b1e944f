"""Writes what a call uses of its models, and what that costs, into the journal."""

import asyncio
import time
from collections.abc import Mapping

from agent.journal import CallEvent
from agent.journal.forgiving import CallJournal
from agent.journal.records import Detail
from agent.usage.cost import bill, cost
from agent.usage.entries import Usage, usage_event
from agent.usage.measure import ModelKey
from agent.usage.meter import Measured, UsageMeter
from agent.usage.prices import PriceTable

# What a killed call loses of its usage at most.
USAGE_EVERY_S = 15.0


class UsageRecorder:
    """Listens to one call.

    Args:
        call_id: the call.
        models: what hears, thinks and speaks, by name.
        journal: where the events go.
        prices: what models cost.
        usage_every_s: how often what was used is written, in seconds.
    """

    def __init__(
        self,
        call_id: str,
        models: Mapping[ModelKey, Measured],
        journal: CallJournal,
        prices: PriceTable,
        usage_every_s: float = USAGE_EVERY_S,
    ) -> None:
        self._call_id = call_id
        self._models = models
        self._journal = journal
        self._prices = prices
        self._usage_every_s = usage_every_s
        self._meter = UsageMeter()
        self._unwritten: asyncio.Queue[CallEvent | None] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None

    @property
    def usage(self) -> Usage:
        """What was used so far, and what that costs."""
        amounts = self._meter.amounts
        return Usage(amounts, bill(amounts, self._prices))

    def listen(self) -> None:
        """From now on, until `finish`. The models themselves are heard, since the session does not hear all of them."""
        for key, model in self._models.items():
            self._meter.watch(key, model)
        self._writer = asyncio.create_task(self._write(), name="call recorder")

    async def finish(self) -> None:
        """The models are closed: write what is left."""
        if self._writer is not None:
            self._unwritten.put_nowait(None)
            await self._writer
        await self._write_usage()

    def record(self, kind: str, details: Mapping[str, Detail]) -> None:
        """Something happened; returns at once."""
        self._unwritten.put_nowait(CallEvent(self._call_id, time.time(), kind, details))

    async def _write(self) -> None:
        usage_at = time.monotonic() + self._usage_every_s
        while True:
            try:
                event = await asyncio.wait_for(self._unwritten.get(), max(0.0, usage_at - time.monotonic()))
            except TimeoutError:
                await self._write_usage()
                usage_at = time.monotonic() + self._usage_every_s
                continue
            if event is None:
                return
            await self._journal.record(event)

    async def _write_usage(self) -> None:
        for key, amounts in self._meter.take_changed().items():
            of_it = cost(amounts, self._prices.of(key.model))
            event = usage_event(self._call_id, time.time(), key, amounts, of_it, self._prices.currency)
            await self._journal.record(event)
