"""Makes summaries in the worker, with the models of the call, and records what that used."""

import asyncio
import ssl
import time
from collections.abc import Sequence

from agent.journal import Journal
from agent.models import ConfiguredModels, ModelSource
from agent.settings import ModelRef, Settings, SettingsError
from agent.summary.maker import NamedModel, make_summary
from agent.summary.spec import SummarySpec
from agent.summary.summary import Summary
from agent.turns import Turn
from agent.usage.cost import cost
from agent.usage.entries import usage_event
from agent.usage.measure import ModelKey, Purpose, Stage
from agent.usage.meter import UsageMeter
from agent.usage.prices import PriceTable


class Summariser:
    """See `settling.Summarise`.

    Args:
        settings: where the models' providers are.
        journal: where what was used is recorded.
        prices: what models cost.
    """

    def __init__(self, settings: Settings, journal: Journal, prices: PriceTable) -> None:
        self._settings = settings
        self._journal = journal
        self._prices = prices
        self._tls: ssl.SSLContext | None = None

    async def __call__(self, call_id: str, spec: SummarySpec, names: tuple[str, ...], turns: list[Turn]) -> Summary:
        """Make the summary of a call; a failure is told in it."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        source = ConfiguredModels(self._settings, self._tls)
        meter = UsageMeter()
        try:
            models = _models(source, names, meter)
        except (SettingsError, ValueError) as error:
            return Summary(time.time(), ", ".join(names), problem=str(error))
        try:
            return await make_summary(spec, turns, models)
        finally:
            for named in models:
                await named.model.aclose()
            await source.aclose()
            await self._record(call_id, meter)

    async def _record(self, call_id: str, meter: UsageMeter) -> None:
        for key, amounts in meter.amounts.items():
            of_it = cost(amounts, self._prices.of(key.model))
            event = usage_event(call_id, time.time(), key, amounts, of_it, self._prices.currency)
            await self._journal.record(event)


def _models(source: ModelSource, names: Sequence[str], meter: UsageMeter) -> list[NamedModel]:
    models = [NamedModel(name, source.llm(ModelRef.parse(name))) for name in names]
    for named in models:
        meter.watch(ModelKey(Stage.THINKING, named.name, Purpose.SUMMARY), named.model)
    return models
