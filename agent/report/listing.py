"""The list of calls: a line for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.journal import CallEvent, CallRecord, Journal, JournalEntry
from agent.report.as_json import call_data
from agent.report.facts import State, state_of
from agent.usage.cost import Cost
from agent.usage.entries import usage_of
from agent.usage.prices import PriceTable


@dataclass(frozen=True, slots=True)
class ListedCall:
    """One call, in numbers.

    Attributes:
        call: the call.
        state: whether it goes on.
        length_s: its length in seconds, as far as it is known.
        turns: how many turns it has.
        undelivered: how many of them the chat thread has not acknowledged.
        errors: how many events of kind `error` it has.
        cost: what it cost; None: the journal holds something that cannot be read.
        currency: of the cost.
    """

    call: CallRecord
    state: State
    length_s: float
    turns: int
    undelivered: int
    errors: int
    cost: Cost | None
    currency: str


async def list_calls(journal: Journal, prices: PriceTable, limit: int) -> list[ListedCall]:
    """The latest calls, the newest first; raises JournalError when the journal cannot be read."""
    running = await journal.running_calls()
    listed = []
    for call in await journal.calls(limit):
        entries = await journal.entries_of_call(call.id)
        events = await journal.events_of_call(call.id)
        listed.append(_listed(call, state_of(call, running), entries, events, prices))
    return listed


def listed_data(listed: ListedCall) -> dict[str, Any]:
    """A line for programs; docs/reports.md describes each key."""
    cost = listed.cost or Cost(None)
    return {
        **call_data(listed.call, listed.state),
        "length_s": round(listed.length_s, 3),
        "turns": listed.turns,
        "undelivered": listed.undelivered,
        "errors": listed.errors,
        "cost": None if cost.amount is None else float(cost.amount),
        "cost_at_least": cost.at_least,
        "currency": listed.currency,
    }


def _listed(
    call: CallRecord,
    state: State,
    entries: Sequence[JournalEntry],
    events: Sequence[CallEvent],
    prices: PriceTable,
) -> ListedCall:
    signs = (call.started_at, *(e.written_at for e in entries), *(event.at for event in events))
    return ListedCall(
        call=call,
        state=state,
        length_s=max(0.0, (call.ended_at or max(signs)) - call.started_at),
        turns=len(entries),
        undelivered=sum(entry.delivered_at is None for entry in entries),
        errors=sum(event.kind == "error" for event in events),
        cost=_cost(events, prices),
        currency=prices.currency,
    )


def _cost(events: Sequence[CallEvent], prices: PriceTable) -> Cost | None:
    try:
        return usage_of(events, prices).bill.total
    except (KeyError, TypeError, ValueError):
        return None
