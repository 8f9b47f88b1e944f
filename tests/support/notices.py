"""Calls with a webhook, in a journal, for tests."""

import itertools
from pathlib import Path

from agent.aftercare.plan import Plan
from agent.journal import Aftercare, CallRecord, Journal, SqliteJournal
from agent.journal.forgiving import CallJournal
from agent.summary.spec import SummarySpec
from agent.webhook.endpoint import OF_SETTINGS
from agent.webhook.events import CallNotices

_numbers = itertools.count(1)


def open_journal(folder: Path) -> SqliteJournal:
    """The journal of a data folder."""
    return SqliteJournal(folder / "journal.db")


async def begin_call(
    journal: Journal,
    call_id: str = "",
    *,
    target: str | None = OF_SETTINGS,
    summary: SummarySpec | None = None,
    models: tuple[str, ...] = (),
) -> CallJournal:
    """A call that has just begun in this process, as `Call` begins it."""
    record = CallRecord(call_id or f"call_{next(_numbers)}", "c", "room", 1_000.0)
    aftercare = Aftercare(Plan(summary=summary, models=models).model_dump_json(), target)
    call = CallJournal(
        journal, record, aftercare=aftercare, notices=CallNotices(record) if target is not None else None
    )
    await call.started()
    return call
