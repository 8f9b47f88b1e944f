"""Who brings which turns to the thread, as rows of the SQLite journal: a process, known by its number and its start.

A row whose process is gone counts for nothing. All functions run on the journal's thread; those that write, in a
transaction of their caller's.
"""

import os
import sqlite3

from agent.journal.processes import ProcessId

# The row for what calls have left; the other rows of a conversation are each for a call's own turns.
LEFT = ""


def carry_call(db: sqlite3.Connection, conversation_id: str, call_id: str) -> None:
    """This process brings the turns of a call."""
    _write(db, conversation_id, call_id)


def drop_call(db: sqlite3.Connection, call_id: str) -> None:
    """Nobody brings the turns of a call any more."""
    db.execute("DELETE FROM carriers WHERE call_id = ?", (call_id,))


def claim_left(db: sqlite3.Connection, conversation_id: str) -> bool:
    """Become the one who brings what calls have left; False when another living process does."""
    query = "SELECT pid, process_started FROM carriers WHERE conversation_id = ? AND call_id = ?"
    row = db.execute(query, (conversation_id, LEFT)).fetchone()
    holder = ProcessId(*row) if row is not None else None
    if holder is not None and holder.is_alive():
        return holder.pid == os.getpid()
    _write(db, conversation_id, LEFT)
    return True


def release_left(db: sqlite3.Connection, conversation_id: str) -> None:
    """Give up the claim of this process."""
    db.execute(
        "DELETE FROM carriers WHERE conversation_id = ? AND call_id = ? AND pid = ?",
        (conversation_id, LEFT, os.getpid()),
    )


def carried_calls(db: sqlite3.Connection) -> frozenset[str]:
    """The calls whose turns a living process brings."""
    rows = db.execute("SELECT call_id, pid, process_started FROM carriers WHERE call_id <> ?", (LEFT,))
    return frozenset(call_id for call_id, pid, started in rows if ProcessId(pid, started).is_alive())


def forget_dead(db: sqlite3.Connection) -> None:
    """Remove the rows of processes that are gone."""
    for pid, started in db.execute("SELECT DISTINCT pid, process_started FROM carriers").fetchall():
        if not ProcessId(pid, started).is_alive():
            db.execute("DELETE FROM carriers WHERE pid = ? AND process_started = ?", (pid, started))


def _write(db: sqlite3.Connection, conversation_id: str, call_id: str) -> None:
    me = ProcessId.current()
    db.execute(
        "INSERT OR REPLACE INTO carriers (conversation_id, call_id, pid, process_started) VALUES (?, ?, ?, ?)",
        (conversation_id, call_id, me.pid, me.started),
    )
