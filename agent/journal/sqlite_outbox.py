"""The outbox in the journal's SQLite file."""

import sqlite3
from collections.abc import Callable
from typing import Protocol, TypeVar

from agent.journal.outbox import Aftercare, CallOver, DueNotice, Lease, Notice, NoticeRecord
from agent.journal.processes import ProcessId
from agent.journal.records import CallRecord

Result = TypeVar("Result")

WAITING = "delivered_at IS NULL AND failed_at IS NULL"


class Transaction(Protocol):
    """How the journal runs a transaction."""

    async def __call__(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `work` in one transaction, away from the event loop; raises JournalError when the store fails."""


def owe(db: sqlite3.Connection, call_id: str, aftercare: Aftercare) -> None:
    """Keep what is to be done for a call; part of the transaction that begins it."""
    db.execute(
        "INSERT INTO aftercare (call_id, plan, target) VALUES (?, ?, ?) ON CONFLICT (call_id) DO NOTHING",
        (call_id, aftercare.plan, aftercare.target),
    )


def queue(db: sqlite3.Connection, notice: Notice, now: float) -> None:
    """Queue a notice; part of the transaction that writes what it tells of."""
    db.execute(
        "INSERT INTO notices (id, call_id, kind, at, body, queued_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO NOTHING",
        (notice.id, notice.call_id, notice.kind, notice.at, notice.body, now, now),
    )


def prune(db: sqlite3.Connection, before: float) -> None:
    """Remove what came to an end before a time and what belongs to calls that are gone."""
    db.execute("DELETE FROM notices WHERE delivered_at < ? OR failed_at < ?", (before, before))
    db.execute(
        "DELETE FROM aftercare WHERE NOT EXISTS (SELECT 1 FROM calls WHERE id = call_id)"
        " AND NOT EXISTS (SELECT 1 FROM notices WHERE notices.call_id = aftercare.call_id)"
    )


class SqliteOutbox:
    """See `Outbox`.

    Args:
        transaction: of the journal.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def calls_over(self, lease: Lease, limit: int) -> list[CallOver]:
        """See `Outbox.calls_over`."""

        def take(db: sqlite3.Connection) -> list[CallOver]:
            rows = db.execute(
                "SELECT calls.id, conversation_id, room, started_at, ended_at, reason, plan, target, summary,"
                " pid, call_processes.started"
                " FROM aftercare JOIN calls ON calls.id = aftercare.call_id"
                " LEFT JOIN call_processes ON call_processes.call_id = aftercare.call_id"
                " WHERE settled_at IS NULL AND (held_until <= ? OR holder = ?) ORDER BY started_at",
                (lease.now, lease.holder),
            ).fetchall()
            over = [CallOver(CallRecord(*row[:6]), *row[6:9]) for row in rows if _is_over(row[4], *row[9:])][:limit]
            _hold(db, [call.call.id for call in over], lease)
            return over

        return await self._transaction(take)

    async def keep_summary(self, call_id: str, summary: str) -> None:
        """See `Outbox.keep_summary`."""
        await self._execute("UPDATE aftercare SET summary = ? WHERE call_id = ? AND summary IS NULL", summary, call_id)

    async def summary_of_call(self, call_id: str) -> str | None:
        """See `Outbox.summary_of_call`."""
        query = "SELECT summary FROM aftercare WHERE call_id = ?"
        row = await self._transaction(lambda db: db.execute(query, (call_id,)).fetchone())
        return None if row is None else row[0]

    async def settle(self, call_id: str, at: float, notice: Notice | None) -> None:
        """See `Outbox.settle`."""

        def mark(db: sqlite3.Connection) -> None:
            if notice is not None:
                queue(db, notice, at)
            db.execute("UPDATE aftercare SET settled_at = ? WHERE call_id = ?", (at, call_id))
            db.execute("DELETE FROM call_processes WHERE call_id = ?", (call_id,))

        await self._transaction(mark)

    async def targets(self) -> list[str]:
        """See `Outbox.targets`."""
        query = (
            "SELECT DISTINCT target FROM aftercare WHERE target IS NOT NULL AND EXISTS"
            f" (SELECT 1 FROM notices WHERE notices.call_id = aftercare.call_id AND {WAITING})"
        )
        return [target for (target,) in await self._transaction(lambda db: db.execute(query).fetchall())]

    async def due(self, target: str, lease: Lease, limit: int) -> list[DueNotice]:
        """See `Outbox.due`."""

        def take(db: sqlite3.Connection) -> list[DueNotice]:
            rows = db.execute(
                "SELECT id, notices.call_id, kind, at, body, queued_at, attempts, refusals FROM notices"
                " JOIN aftercare ON aftercare.call_id = notices.call_id"
                f" WHERE target = ? AND due_at <= ? AND {WAITING} AND (held_until <= ? OR holder = ?) AND position ="
                f" (SELECT MIN(position) FROM notices AS others WHERE others.call_id = notices.call_id AND {WAITING})"
                " ORDER BY due_at, position LIMIT ?",
                (target, lease.now, lease.now, lease.holder, limit),
            ).fetchall()
            _hold(db, [row[1] for row in rows], lease)
            return [DueNotice(Notice(*row[:5]), *row[5:]) for row in rows]

        return await self._transaction(take)

    async def delivered(self, notice_id: str, at: float) -> None:
        """See `Outbox.delivered`."""
        await self._execute(
            "UPDATE notices SET delivered_at = ?, attempts = attempts + 1, body = NULL, problem = NULL WHERE id = ?",
            at,
            notice_id,
        )

    async def postponed(self, notice_id: str, until: float, problem: str, *, refused: bool) -> None:
        """See `Outbox.postponed`."""
        await self._execute(
            "UPDATE notices SET due_at = ?, attempts = attempts + 1, refusals = refusals + ?, problem = ? WHERE id = ?",
            until,
            int(refused),
            problem,
            notice_id,
        )

    async def failed(self, notice_id: str, at: float, problem: str) -> None:
        """See `Outbox.failed`."""
        await self._execute(
            "UPDATE notices SET failed_at = ?, attempts = attempts + 1, body = NULL, problem = ? WHERE id = ?",
            at,
            problem,
            notice_id,
        )

    async def bound(self, at: float, oldest: float, most: int) -> int:
        """See `Outbox.bound`."""

        def give_up(db: sqlite3.Connection) -> int:
            end = f"UPDATE notices SET failed_at = ?, body = NULL, problem = ? WHERE {WAITING} AND "
            old = db.execute(end + "queued_at < ?", (at, "waited too long", oldest)).rowcount
            newest = f"SELECT position FROM notices WHERE {WAITING} ORDER BY position DESC LIMIT 1 OFFSET ?"
            many = db.execute(end + f"position <= ({newest})", (at, "the queue was full", most)).rowcount
            return old + many

        return await self._transaction(give_up)

    async def leave(self, holder: str) -> None:
        """See `Outbox.leave`."""
        await self._execute("UPDATE aftercare SET holder = '', held_until = 0 WHERE holder = ?", holder)

    async def notices_of_call(self, call_id: str) -> list[NoticeRecord]:
        """See `Outbox.notices_of_call`."""
        query = (
            "SELECT id, kind, queued_at, attempts, delivered_at, failed_at, problem FROM notices"
            " WHERE call_id = ? ORDER BY position"
        )
        rows = await self._transaction(lambda db: db.execute(query, (call_id,)).fetchall())
        return [NoticeRecord(*row) for row in rows]

    async def _execute(self, statement: str, *values: object) -> None:
        await self._transaction(lambda db: db.execute(statement, values).fetchall())


def _hold(db: sqlite3.Connection, call_ids: list[str], lease: Lease) -> None:
    """A holder keeps what it has until the last of its leases ends: it may settle a call and send its notices."""
    db.executemany(
        "UPDATE aftercare SET held_until = CASE holder WHEN ?1 THEN MAX(held_until, ?2) ELSE ?2 END, holder = ?1"
        " WHERE call_id = ?3",
        [(lease.holder, lease.until, call_id) for call_id in call_ids],
    )


def _is_over(ended_at: float | None, pid: int | None, started: float) -> bool:
    return ended_at is not None or pid is None or not ProcessId(pid, started).is_alive()
