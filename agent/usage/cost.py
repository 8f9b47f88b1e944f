"""What was used, times what it costs. A cost that is not known is None and never a guess."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from agent.usage.measure import Amounts, ModelKey
from agent.usage.prices import Price, PriceTable

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """What something cost.

    Attributes:
        amount: in the currency of the table; None: not known.
        at_least: some of what was used is missing in it.
        why: why it is not known, or not all of it; else empty.
    """

    amount: Decimal | None
    at_least: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """What a call cost.

    Attributes:
        currency: of all costs.
        costs: by model.
        total: of all that is known; `at_least` when something is not.
    """

    currency: str
    costs: Mapping[ModelKey, Cost]
    total: Cost


def bill(used: Mapping[ModelKey, Amounts], table: PriceTable, known: Mapping[ModelKey, Cost] | None = None) -> Bill:
    """The costs of what was used, and their sum.

    Args:
        used: what was used.
        table: the prices.
        known: costs that were settled before, in the currency of the table; they stand.
    """
    settled = known or {}
    costs = {key: settled.get(key) or cost(used_of_it, table.of(key.model)) for key, used_of_it in used.items()}
    amounts = [c.amount for c in costs.values() if c.amount is not None]
    unknown = sorted({key.model for key, c in costs.items() if c.amount is None})
    why = f"the cost of {', '.join(unknown)} is not known" if unknown else ""
    partly = any(c.at_least for c in costs.values())
    if unknown and not sum(amounts):  # "at least nothing" says nothing
        return Bill(table.currency, costs, Cost(None, why=why))
    if partly and not why:
        why = "some requests did not name their tokens"
    return Bill(table.currency, costs, Cost(sum(amounts, Decimal(0)), bool(unknown) or partly, why))


def cost(amounts: Amounts, price: Price | None) -> Cost:
    """What one model cost."""
    if price is None:
        return Cost(None, why="no price")
    if price.free:
        return Cost(Decimal(0))
    parts = [_by_tokens(amounts, price), _by_characters(amounts, price), _by_minute(amounts, price)]
    billed = [part for part in parts if part is not None]
    if not billed:
        return Cost(None, why="the price is for something else than what was used")
    if any(part.amount is None for part in billed):
        return next(part for part in billed if part.amount is None)
    amount = sum((part.amount for part in billed if part.amount is not None), Decimal(0))
    return Cost(amount, any(part.at_least for part in billed), next((p.why for p in billed if p.why), ""))


def _by_tokens(amounts: Amounts, price: Price) -> Cost | None:
    if price.input_per_million_tokens is None and price.output_per_million_tokens is None:
        return None
    if amounts.requests and amounts.unreported == amounts.requests:
        return Cost(None, why="billed by tokens, and no request named its tokens")
    per_input = price.input_per_million_tokens or Decimal(0)
    per_cached = per_input if price.cached_input_per_million_tokens is None else price.cached_input_per_million_tokens
    per_output = price.output_per_million_tokens or Decimal(0)
    fresh = amounts.input_tokens - amounts.cached_input_tokens
    amount = fresh * per_input + amounts.cached_input_tokens * per_cached + amounts.output_tokens * per_output
    if amounts.unreported:
        return Cost(amount / MILLION, True, f"{amounts.unreported} of {amounts.requests} requests named no tokens")
    return Cost(amount / MILLION)


def _by_characters(amounts: Amounts, price: Price) -> Cost | None:
    if price.per_million_characters is None or (amounts.requests and not amounts.characters):
        return None
    return Cost(amounts.characters * price.per_million_characters / MILLION)


def _by_minute(amounts: Amounts, price: Price) -> Cost | None:
    if price.per_minute is None or (amounts.requests and not amounts.audio_seconds):
        return None
    return Cost(Decimal(str(round(amounts.audio_seconds, 3))) / 60 * price.per_minute)
