"""The journal in one SQLite file (WAL) for each host, shared by the job processes.

All calls run on one thread of their own, so that neither the disk nor another process's lock ever holds up the audio.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self, TypeVar

from agent.journal import carriers, sqlite_outbox
from agent.journal.journal import Backlog, Fence, Fenced, JournalDamaged, JournalEntry, JournalError
from agent.journal.left import conversations_with_left, left_before, left_in
from agent.journal.outbox import Aftercare, Notice
from agent.journal.processes import ProcessId
from agent.journal.records import CallEvent, CallRecord
from agent.journal.schema import migrate
from agent.journal.sqlite_outbox import SqliteOutbox
from agent.turns import Turn

LOCK_TIMEOUT_S = 10.0
LOCK_RETRY_S = 0.01
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

Result = TypeVar("Result")


class SqliteJournal(AbstractContextManager["SqliteJournal"]):
    """See `Journal`.

    Args:
        path: the file; it and its folder are made when they are not there. None keeps everything in memory, for a call
            whose host has no usable disk.

    Raises:
        JournalError: the file is no journal, is damaged, comes from a newer version, or cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        try:
            self._db = self._thread.submit(self._open).result()
        except JournalError:
            self._thread.shutdown()
            raise
        self.outbox = SqliteOutbox(self._transaction)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """See `Journal.close`."""
        self._thread.submit(self._db.close).result()
        self._thread.shutdown()

    @property
    def path(self) -> Path | None:
        """The file; None for a journal in memory."""
        return self._path

    @property
    def durable(self) -> bool:
        """See `Journal.durable`."""
        return self._path is not None

    async def append(
        self, turn: Turn, *, delivered: bool = False, fence: Fence | None = None, notice: Notice | None = None
    ) -> None:
        """See `Journal.append`."""
        now = time.time()
        row = (turn.id, turn.conversation_id, turn.call_id, turn.to_json(), now, now if delivered else None, turn.seq)

        def insert(db: sqlite3.Connection) -> None:
            if fence is not None and not _holds(db, fence):
                raise Fenced(f"the room of call {turn.call_id} was taken over")
            inserted = db.execute(
                "INSERT INTO turns (id, conversation_id, call_id, turn, written_at, delivered_at, seq)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                row,
            ).rowcount
            if inserted and notice is not None:
                sqlite_outbox.queue(db, notice, now)

        await self._transaction(insert)

    async def mark_delivered(self, turn_id: str, seq: int | None) -> None:
        """See `Journal.mark_delivered`."""
        await self._execute(
            "UPDATE turns SET delivered_at = ?, seq = ? WHERE id = ? AND delivered_at IS NULL",
            time.time(),
            seq,
            turn_id,
        )

    async def mark_given_up(self, turn_id: str) -> None:
        """See `Journal.mark_given_up`."""
        await self._execute(
            "UPDATE turns SET given_up_at = ? WHERE id = ? AND delivered_at IS NULL", time.time(), turn_id
        )

    async def pending(self, conversation_id: str) -> list[Turn]:
        """See `Journal.pending`."""
        return await self._run(lambda db: left_in(db, conversation_id))

    async def conversations_pending(self) -> list[str]:
        """See `Journal.conversations_pending`."""
        return await self._run(conversations_with_left)

    async def latest_turns(self, conversation_id: str, limit: int) -> list[Turn]:
        """See `Journal.latest_turns`."""
        query = "SELECT turn, seq FROM turns WHERE conversation_id = ? ORDER BY position DESC LIMIT ?"
        rows = await self._select(query, conversation_id, limit)
        return [Turn.from_json(line).with_seq(seq) for line, seq in reversed(rows)]

    async def backlog(self) -> Backlog:
        """See `Journal.backlog`."""
        query = "SELECT COUNT(*), MIN(written_at) FROM turns WHERE delivered_at IS NULL"
        ((turns, oldest),) = await self._select(query)
        return Backlog(turns, oldest)

    async def entries_of_call(self, call_id: str) -> list[JournalEntry]:
        """See `Journal.entries_of_call`."""
        query = "SELECT turn, seq, written_at, delivered_at FROM turns WHERE call_id = ? ORDER BY position"
        return [
            JournalEntry(Turn.from_json(line).with_seq(seq), written_at, delivered_at)
            for line, seq, written_at, delivered_at in await self._select(query, call_id)
        ]

    async def call_started(
        self, call: CallRecord, aftercare: Aftercare | None = None, notice: Notice | None = None
    ) -> None:
        """See `Journal.call_started`."""
        process, now = ProcessId.current(), time.time()

        def insert(db: sqlite3.Connection) -> None:
            inserted = db.execute(
                "INSERT INTO calls (id, conversation_id, room, started_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                (call.id, call.conversation_id, call.room, call.started_at),
            ).rowcount
            carriers.carry_call(db, call.conversation_id, call.id)
            if not inserted:
                return
            db.execute(
                "INSERT INTO call_processes (call_id, pid, started) VALUES (?, ?, ?)",
                (call.id, process.pid, process.started),
            )
            if aftercare is not None:
                sqlite_outbox.owe(db, call.id, aftercare)
            if notice is not None:
                sqlite_outbox.queue(db, notice, now)

        await self._transaction(insert)

    async def hand_over(self, call_id: str) -> None:
        """See `Journal.hand_over`."""
        await self._transaction(lambda db: carriers.drop_call(db, call_id))

    async def call_ended(self, call_id: str, reason: str) -> None:
        """See `Journal.call_ended`."""

        def update(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE calls SET ended_at = ?, reason = ? WHERE id = ? AND ended_at IS NULL",
                (time.time(), reason, call_id),
            )
            carriers.drop_call(db, call_id)
            db.execute("DELETE FROM call_processes WHERE call_id = ?", (call_id,))

        await self._transaction(update)

    async def calls(self, limit: int) -> list[CallRecord]:
        """See `Journal.calls`."""
        query = (
            "SELECT id, conversation_id, room, started_at, ended_at, reason FROM calls"
            " ORDER BY started_at DESC, rowid DESC LIMIT ?"
        )
        return [CallRecord(*row) for row in await self._select(query, limit)]

    async def running_calls(self) -> frozenset[str]:
        """See `Journal.running_calls`; a process is known by its number and the time of its start."""
        rows = await self._select("SELECT call_id, pid, started FROM call_processes")
        return frozenset(call_id for call_id, pid, started in rows if ProcessId(pid, started).is_alive())

    async def record(self, event: CallEvent, notice: Notice | None = None) -> None:
        """See `Journal.record`."""
        details = json.dumps(dict(event.details), ensure_ascii=False, separators=(",", ":"))

        def insert(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO events (call_id, at, kind, details) VALUES (?, ?, ?, ?)",
                (event.call_id, event.at, event.kind, details),
            )
            if notice is not None:
                sqlite_outbox.queue(db, notice, time.time())

        await self._transaction(insert)

    async def events_of_call(self, call_id: str) -> list[CallEvent]:
        """See `Journal.events_of_call`."""
        query = "SELECT call_id, at, kind, details FROM events WHERE call_id = ? ORDER BY position"
        return [CallEvent(call, at, kind, json.loads(d)) for call, at, kind, d in await self._select(query, call_id)]

    async def events_of_conversation(self, conversation_id: str, kind: str) -> list[CallEvent]:
        """See `Journal.events_of_conversation`."""
        query = (
            "SELECT call_id, at, kind, details FROM events WHERE kind = ?"
            " AND call_id IN (SELECT id FROM calls WHERE conversation_id = ?) ORDER BY position"
        )
        rows = await self._select(query, kind, conversation_id)
        return [CallEvent(call, at, kind, json.loads(details)) for call, at, kind, details in rows]

    async def claim(self, conversation_id: str, *, before: str | None = None) -> list[Turn] | None:
        """See `Journal.claim`."""

        def claim(db: sqlite3.Connection) -> list[Turn] | None:
            left = left_in(db, conversation_id) if before is None else left_before(db, conversation_id, before)
            return left if not left or carriers.claim_left(db, conversation_id) else None

        return await self._transaction(claim)

    async def release(self, conversation_id: str) -> None:
        """See `Journal.release`."""
        await self._transaction(lambda db: carriers.release_left(db, conversation_id))

    async def prune(self, before: float) -> int:
        """See `Journal.prune`."""

        def remove(db: sqlite3.Connection) -> int:
            removed = db.execute("DELETE FROM turns WHERE delivered_at < ?", (before,)).rowcount
            _forget_dead(db)
            db.execute(
                "DELETE FROM calls WHERE COALESCE(ended_at, started_at) < ?"
                " AND NOT EXISTS (SELECT 1 FROM turns WHERE call_id = calls.id)"
                " AND NOT EXISTS (SELECT 1 FROM call_processes WHERE call_id = calls.id)",
                (before,),
            )
            db.execute(
                "DELETE FROM events WHERE at < ? AND NOT EXISTS (SELECT 1 FROM calls WHERE id = call_id)", (before,)
            )
            db.execute("DELETE FROM leases WHERE expires_at < ?", (before,))
            db.execute("DELETE FROM leased_jobs WHERE room NOT IN (SELECT room FROM leases)")
            carriers.forget_dead(db)
            sqlite_outbox.prune(db, before)
            return removed

        removed = await self._transaction(remove)
        # Frees a page with each step, and `execute` takes one step of a statement without rows.
        await self._run(lambda db: db.executescript("PRAGMA incremental_vacuum"))
        return removed

    async def _execute(self, statement: str, *values: object) -> None:
        await self._run(lambda db: db.execute(statement, values).fetchall())

    async def _select(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return await self._run(lambda db: db.execute(query, values).fetchall())

    async def _transaction(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def transaction(db: sqlite3.Connection) -> Result:
            db.execute("BEGIN IMMEDIATE")
            with db:
                return work(db)

        return await self._run(transaction)

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._db))
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        try:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            # No implicit transactions: each statement is one, but for those of `_transaction`.
            db = sqlite3.connect(self._path or ":memory:", timeout=LOCK_TIMEOUT_S, isolation_level=None)
            try:
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts for a new file only, before its first write
                _use_wal(db)
                db.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
                migrate(db, self._path)
            except BaseException:
                db.close()
                raise
            return db
        except (sqlite3.Error, OSError) as error:
            kind = JournalDamaged if getattr(error, "sqlite_errorcode", None) in DAMAGED else JournalError
            raise kind(
                f"{self._path} cannot be opened as the journal ({error}): "
                "check the folder's rights and space, or move the file away to begin a new one"
            ) from error


def _use_wal(db: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; SQLite waits for no other connection that switches in the same moment."""
    until = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(LOCK_RETRY_S)


def _holds(db: sqlite3.Connection, fence: Fence) -> bool:
    query = "SELECT 1 FROM leases WHERE room = ? AND epoch = ?"
    return db.execute(query, (fence.room, fence.epoch)).fetchone() is not None


def _forget_dead(db: sqlite3.Connection) -> None:
    """A call whose process was killed has no end, and does not go on."""
    rows = db.execute("SELECT call_id, pid, started FROM call_processes").fetchall()
    dead = [(call_id,) for call_id, pid, started in rows if not ProcessId(pid, started).is_alive()]
    db.executemany("DELETE FROM call_processes WHERE call_id = ?", dead)
