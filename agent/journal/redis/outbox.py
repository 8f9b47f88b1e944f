"""The outbox in Redis; see lua/outbox.lua."""

import uuid
from typing import Any, Protocol

from agent.journal.outbox import CallOver, DueNotice, Lease, Notice, NoticeRecord
from agent.journal.redis.reading import as_call, as_float
from agent.journal.redis.scripts import Argument


class Run(Protocol):
    """How the journal runs a command."""

    async def __call__(self, command: str, *arguments: Argument) -> Any:
        """Run it away from the event loop; raises JournalError when the store fails."""


def notice_texts(notice: Notice | None) -> tuple[Argument, ...]:
    """A notice as the commands take it; an empty id for none."""
    if notice is None:
        return ("", "", "", "", "")
    return (notice.id, notice.call_id, notice.kind, notice.at, notice.body)


class RedisOutbox:
    """See `Outbox`.

    Args:
        run: runs a command.
        judge: runs one that asks whether processes live.
    """

    def __init__(self, run: Run, judge: Run) -> None:
        self._run = run
        self._judge = judge

    async def calls_over(self, lease: Lease, limit: int) -> list[CallOver]:
        """See `Outbox.calls_over`."""
        rows = await self._judge("calls_over", lease.holder, lease.now, lease.until, limit)
        return [CallOver(as_call(row[:6]), row[6], row[7] or None, row[8]) for row in rows]

    async def keep_summary(self, call_id: str, summary: str) -> None:
        """See `Outbox.keep_summary`."""
        await self._run("keep_summary", call_id, summary)

    async def summary_of_call(self, call_id: str) -> str | None:
        """See `Outbox.summary_of_call`."""
        summary: str | None = await self._run("summary_of_call", call_id)
        return summary

    async def settle(self, call_id: str, at: float, notice: Notice | None) -> None:
        """See `Outbox.settle`."""
        await self._run("settle", call_id, at, *notice_texts(notice))

    async def targets(self) -> list[str]:
        """See `Outbox.targets`."""
        return list(await self._run("targets"))

    async def due(self, target: str, lease: Lease, limit: int) -> list[DueNotice]:
        """See `Outbox.due`."""
        rows = await self._run("due", target, lease.holder, lease.now, lease.until, limit)
        return [
            DueNotice(Notice(notice_id, call_id, kind, float(at), body), float(queued_at), int(attempts), int(refusals))
            for notice_id, call_id, kind, at, body, queued_at, attempts, refusals in rows
        ]

    async def delivered(self, notice_id: str, at: float) -> None:
        """See `Outbox.delivered`."""
        await self._run("notice_delivered", uuid.uuid4().hex, notice_id, at)

    async def postponed(self, notice_id: str, until: float, problem: str, *, refused: bool) -> None:
        """See `Outbox.postponed`."""
        await self._run("notice_postponed", uuid.uuid4().hex, notice_id, until, problem, int(refused))

    async def failed(self, notice_id: str, at: float, problem: str) -> None:
        """See `Outbox.failed`."""
        await self._run("notice_failed", uuid.uuid4().hex, notice_id, at, problem)

    async def bound(self, at: float, oldest: float, most: int) -> int:
        """See `Outbox.bound`."""
        return int(await self._run("bound", at, oldest, most))

    async def leave(self, holder: str) -> None:
        """See `Outbox.leave`."""
        await self._run("leave", holder)

    async def notices_of_call(self, call_id: str) -> list[NoticeRecord]:
        """See `Outbox.notices_of_call`."""
        return [
            NoticeRecord(
                *(notice_id, kind, float(queued_at), int(attempts)),
                as_float(delivered_at),
                as_float(failed_at),
                problem,
            )
            for notice_id, kind, queued_at, attempts, delivered_at, failed_at, problem in await self._run(
                "notices_of_call", call_id
            )
        ]
