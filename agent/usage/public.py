"""Usage and cost as other programs read them: the same in the webhook and in `report --json`."""

from typing import Any

from agent.usage.cost import Cost
from agent.usage.entries import Usage


def public_usage(usage: Usage) -> dict[str, Any]:
    """By model, and the sum; money is a number in the currency that is named, or null where it is not known."""
    bill = usage.bill
    return {
        "currency": bill.currency,
        "cost": _public_cost(bill.total),
        "models": [
            {
                "stage": key.stage,
                "model": key.model,
                "purpose": key.purpose,
                "requests": amounts.requests,
                "cancelled": amounts.cancelled,
                "unreported": amounts.unreported,
                "input_tokens": amounts.input_tokens,
                "cached_input_tokens": amounts.cached_input_tokens,
                "output_tokens": amounts.output_tokens,
                "characters": amounts.characters,
                "audio_seconds": round(amounts.audio_seconds, 3),
                "cost": _public_cost(bill.costs[key]),
            }
            for key, amounts in usage.amounts.items()
        ],
    }


def _public_cost(cost: Cost) -> dict[str, Any]:
    return {
        "amount": None if cost.amount is None else round(float(cost.amount), 9),
        "at_least": cost.at_least,
        "why": cost.why or None,
    }
