"""The tables of the SQLite journal, as the steps from each version to the next.

A step that has been released never changes: files that were made with it are in use. A change is a further step.
"""

import sqlite3
from pathlib import Path

from agent.journal.journal import JournalError

STEPS = (
    """
    CREATE TABLE turns (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL,
        call_id TEXT,
        turn TEXT NOT NULL,
        written_at REAL NOT NULL,
        delivered_at REAL,
        seq INTEGER
    );
    CREATE INDEX turns_pending ON turns (conversation_id, position) WHERE delivered_at IS NULL;
    CREATE TABLE calls (
        id TEXT PRIMARY KEY,
        conversation_id TEXT NOT NULL,
        room TEXT NOT NULL,
        started_at REAL NOT NULL,
        ended_at REAL,
        reason TEXT
    );
    CREATE TABLE carriers (
        conversation_id TEXT PRIMARY KEY,
        pid INTEGER NOT NULL,
        process_started REAL NOT NULL
    );
    """,
    """
    CREATE INDEX turns_of_call ON turns (call_id, position);
    CREATE INDEX turns_delivered ON turns (delivered_at) WHERE delivered_at IS NOT NULL;
    CREATE INDEX calls_started ON calls (started_at);
    CREATE TABLE events (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        call_id TEXT NOT NULL,
        at REAL NOT NULL,
        kind TEXT NOT NULL,
        details TEXT NOT NULL
    );
    CREATE INDEX events_of_call ON events (call_id, position);
    """,
    # Which agent may speak in a room and write its turns.
    """
    CREATE TABLE leases (
        room TEXT PRIMARY KEY,
        call_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        identity TEXT NOT NULL,
        dispatch_id TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        holder TEXT NOT NULL,
        taken_at REAL NOT NULL,
        takeovers INTEGER NOT NULL,
        resumes TEXT NOT NULL,
        saying TEXT NOT NULL,
        expires_at REAL NOT NULL
    );
    """,
    # Who brings turns to the thread: each call its own, and somebody what calls have left ('').
    """
    DROP TABLE carriers;
    CREATE TABLE carriers (
        conversation_id TEXT NOT NULL,
        call_id TEXT NOT NULL DEFAULT '',
        pid INTEGER NOT NULL,
        process_started REAL NOT NULL,
        PRIMARY KEY (conversation_id, call_id)
    );
    """,
    # What is owed for a call beside its turns (see outbox.py), and the process that it runs in.
    """
    CREATE TABLE call_processes (
        call_id TEXT PRIMARY KEY,
        pid INTEGER NOT NULL,
        started REAL NOT NULL
    );
    CREATE TABLE aftercare (
        call_id TEXT PRIMARY KEY,
        plan TEXT NOT NULL,
        target TEXT,
        summary TEXT,
        settled_at REAL,
        holder TEXT NOT NULL DEFAULT '',
        held_until REAL NOT NULL DEFAULT 0
    );
    CREATE INDEX aftercare_open ON aftercare (call_id) WHERE settled_at IS NULL;
    CREATE TABLE notices (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        call_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        at REAL NOT NULL,
        body TEXT,
        queued_at REAL NOT NULL,
        due_at REAL NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        refusals INTEGER NOT NULL DEFAULT 0,
        delivered_at REAL,
        failed_at REAL,
        problem TEXT
    );
    CREATE INDEX notices_of_call ON notices (call_id, position);
    CREATE INDEX notices_waiting ON notices (call_id, position) WHERE delivered_at IS NULL AND failed_at IS NULL;
    """,
    # When a call gave a turn up that the server does not take: what was said later does not wait for it.
    "ALTER TABLE turns ADD COLUMN given_up_at REAL",
    # What the call in a room was dispatched with. Not in its lease, which is written anew several times a second.
    "CREATE TABLE leased_jobs (room TEXT PRIMARY KEY, metadata TEXT NOT NULL)",
)
VERSION = len(STEPS)


def migrate(db: sqlite3.Connection, path: Path | None) -> None:
    """Bring the tables to this version, each step in one transaction; processes that start at once wait for each other.

    Raises:
        JournalError: the file was written by a newer version.
        sqlite3.Error: the file is damaged or cannot be written.
    """
    while (version := _version(db)) != VERSION:
        if version > VERSION:
            raise JournalError(f"{path} was written by a newer version (schema {version}): upgrade this worker")
        db.execute("BEGIN IMMEDIATE")
        try:
            if _version(db) == version:
                for statement in STEPS[version].split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {version + 1}")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version
