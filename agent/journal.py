"""The journal: a turn is durable here before anything announces it.

One SQLite file for each host, shared by the job processes; append-only but for the mark of delivery. All calls run on
one thread of their own, so that neither the disk nor another process's lock ever holds up the audio.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self, TypeVar

from agent.turns import Turn

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS turns (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL,
    call_id TEXT,
    turn TEXT NOT NULL,
    written_at REAL NOT NULL,
    delivered_at REAL,
    seq INTEGER
);
CREATE INDEX IF NOT EXISTS turns_pending ON turns (conversation_id, position) WHERE delivered_at IS NULL;
CREATE TABLE IF NOT EXISTS calls (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    room TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    reason TEXT
);
"""
LOCK_TIMEOUT_S = 10.0

Result = TypeVar("Result")


class JournalError(RuntimeError):
    """The journal cannot be opened, read or written; the message says which file and why."""


class Journal(AbstractContextManager["Journal"]):
    """The turns and calls of one host.

    Args:
        path: the SQLite file; it and its folder are made when they are not there. None keeps everything in memory,
            for a call whose host has no usable disk.

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish what is under way and close the file; waits for the disk."""
        self._thread.submit(self._db.close).result()
        self._thread.shutdown()

    async def append(self, turn: Turn, *, delivered: bool = False) -> None:
        """Write a turn and sync it to the disk; a turn whose id is there already is left as it is.

        Args:
            turn: the turn.
            delivered: the thread has it already, because it came from there.

        Raises:
            JournalError: the disk is full or the file is damaged.
        """
        now = time.time()
        row = (turn.id, turn.conversation_id, turn.call_id, turn.to_json(), now, now if delivered else None, turn.seq)
        await self._run(
            lambda db: db.execute(
                "INSERT INTO turns (id, conversation_id, call_id, turn, written_at, delivered_at, seq)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                row,
            )
        )

    async def mark_delivered(self, turn_id: str, seq: int | None) -> None:
        """The thread has shown this turn, at this place if it says one."""
        await self._run(
            lambda db: db.execute(
                "UPDATE turns SET delivered_at = ?, seq = ? WHERE id = ? AND delivered_at IS NULL",
                (time.time(), seq, turn_id),
            )
        )

    async def pending(self, conversation_id: str) -> list[Turn]:
        """The turns of a conversation that the thread has not acknowledged, in the order of the conversation."""
        return await self._run(
            lambda db: [
                Turn.from_json(line)
                for (line,) in db.execute(
                    "SELECT turn FROM turns WHERE conversation_id = ? AND delivered_at IS NULL ORDER BY position",
                    (conversation_id,),
                )
            ]
        )

    async def conversations_pending(self) -> list[str]:
        """The conversations that have undelivered turns, the longest waiting first."""
        return await self._run(
            lambda db: [
                conversation
                for (conversation,) in db.execute(
                    "SELECT conversation_id FROM turns WHERE delivered_at IS NULL"
                    " GROUP BY conversation_id ORDER BY MIN(position)"
                )
            ]
        )

    async def turns_of_call(self, call_id: str) -> list[Turn]:
        """All turns of one call in the order of the conversation, each with its place in the thread if known."""
        return await self._run(
            lambda db: [
                Turn.from_json(line).with_seq(seq)
                for line, seq in db.execute(
                    "SELECT turn, seq FROM turns WHERE call_id = ? ORDER BY position", (call_id,)
                )
            ]
        )

    async def call_started(self, call_id: str, conversation_id: str, room: str) -> None:
        """A call begins."""
        await self._run(
            lambda db: db.execute(
                "INSERT INTO calls (id, conversation_id, room, started_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                (call_id, conversation_id, room, time.time()),
            )
        )

    async def call_ended(self, call_id: str, reason: str) -> None:
        """A call is over; the first reason stands."""
        await self._run(
            lambda db: db.execute(
                "UPDATE calls SET ended_at = ?, reason = ? WHERE id = ? AND ended_at IS NULL",
                (time.time(), reason, call_id),
            )
        )

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def transaction() -> Result:
            with self._db:
                return work(self._db)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        try:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path or ":memory:", timeout=LOCK_TIMEOUT_S)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                db.close()
                raise JournalError(
                    f"{self._path} was written by a newer version (schema {version}): upgrade this worker"
                )
            with db:
                db.executescript(SCHEMA)
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            return db
        except (sqlite3.Error, OSError) as error:
            raise JournalError(
                f"{self._path} cannot be opened as the journal ({error}): "
                "check the folder's rights and space, or move the file away to begin a new one"
            ) from error
