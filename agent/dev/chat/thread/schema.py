"""The tables of the chat's SQLite file, and which version of them this code reads."""

import sqlite3
from pathlib import Path

VERSION = 2
BUSY_TIMEOUT_S = 5.0

TABLES = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    owner TEXT,                      -- Principal.key; NULL until the first user opens it
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    channel TEXT NOT NULL,
    interrupted INTEGER NOT NULL,
    reply_to TEXT,
    created_at TEXT NOT NULL,
    author TEXT NOT NULL,
    conversation_type TEXT,
    block_type TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT 'speech',
    open INTEGER NOT NULL,           -- 1 while it waits for an answer
    PRIMARY KEY (conversation_id, seq),
    UNIQUE (conversation_id, id)
) STRICT;

CREATE INDEX open_questions ON messages (conversation_id, seq) WHERE open = 1;

CREATE TABLE rooms (
    name TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

# From version 1 to 2.
WITH_KINDS = "ALTER TABLE messages ADD COLUMN kind TEXT NOT NULL DEFAULT 'speech';"


class StoreError(RuntimeError):
    """The chat's file cannot be used; the message names it and says what to do."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, making it and its tables if it is new.

    Raises:
        StoreError: it is no database of ours, was made by a newer version, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path} cannot be opened ({error}): check DATA_DIR") from None
    try:
        db.execute("PRAGMA journal_mode = WAL")
        # What was committed outlives the process. Only a loss of power can take the last of it, and a sync for each
        # message would cost up to 10 ms on a busy disk.
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        found = int(db.execute("PRAGMA user_version").fetchone()[0])
        if found == 0:
            db.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
        elif found == 1:
            db.executescript(f"BEGIN IMMEDIATE; {WITH_KINDS} PRAGMA user_version = {VERSION}; COMMIT;")
        elif found != VERSION:
            raise StoreError(f"{path} has version {found}, this code reads {VERSION}: update, or move the file away")
    except sqlite3.Error as error:
        db.close()
        raise StoreError(f"{path} cannot be used ({error}): move it away and start again") from None
    except StoreError:
        db.close()
        raise
    return db
