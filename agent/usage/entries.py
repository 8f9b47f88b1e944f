"""Usage as events of the journal: sums that grow, one event for each model that was used since the last ones.

The latest event of a model is what counts: a call whose process is killed has lost only what came after it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

from agent.journal import CallEvent
from agent.journal.records import Detail
from agent.usage.cost import Bill, Cost, bill
from agent.usage.measure import Amounts, ModelKey, Purpose, Stage
from agent.usage.prices import PriceTable

KIND = "usage"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call used, and what that costs."""

    amounts: Mapping[ModelKey, Amounts]
    bill: Bill


def usage_event(call_id: str, at: float, key: ModelKey, amounts: Amounts, cost: Cost, currency: str) -> CallEvent:
    """What was used of a model since the call began, with what that costs by the prices of this moment."""
    details: dict[str, Detail] = {"stage": key.stage, "model": key.model, "purpose": key.purpose, **asdict(amounts)}
    details |= {
        "cost": None if cost.amount is None else float(cost.amount),
        "currency": currency,
        "at_least": cost.at_least,
        "why": cost.why,
    }
    return CallEvent(call_id, at, KIND, details)


def usage_of(events: Iterable[CallEvent], table: PriceTable) -> Usage:
    """What a call used, from its events.

    The costs are those of the time of the call; one that was not known then, or is in another currency, is worked out
    with the prices of today.

    Raises:
        KeyError, TypeError, ValueError: an event of usage holds something else.
    """
    latest = {_key(event.details): event.details for event in events if event.kind == KIND}
    amounts = {key: _amounts(details) for key, details in latest.items()}
    known = {
        key: Cost(Decimal(str(details["cost"])), bool(details["at_least"]), str(details["why"]))
        for key, details in latest.items()
        if details["cost"] is not None and details["currency"] == table.currency
    }
    return Usage(amounts, bill(amounts, table, known))


def _key(details: Mapping[str, Detail]) -> ModelKey:
    return ModelKey(Stage(str(details["stage"])), str(details["model"]), Purpose(str(details["purpose"])))


def _amounts(details: Mapping[str, Detail]) -> Amounts:
    found: dict[str, Any] = {field.name: details[field.name] for field in fields(Amounts)}
    if not all(isinstance(value, int | float) for value in found.values()):
        raise TypeError("an amount is no number")
    return Amounts(**found)
