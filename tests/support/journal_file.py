"""A journal as its file says, read beside the processes that write it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agent.leases import Holder
from agent.turns import Turn


def turns_in(path: Path, conversation: str) -> list[Turn]:
    """The turns of a conversation in the journal's order; none while there is no file."""
    query = "SELECT turn FROM turns WHERE conversation_id = ? ORDER BY position"
    return [Turn.from_json(line) for (line,) in _read(path, query, conversation)]


def undelivered_in(path: Path) -> int:
    """How many turns the thread has not acknowledged."""
    return len(_read(path, "SELECT id FROM turns WHERE delivered_at IS NULL"))


@dataclass(frozen=True)
class LiveAgent:
    """The agent of a call, as its lease says.

    Args:
        pid: its process, which lives.
        identity: what it is called in the room.
    """

    pid: int
    identity: str


def agents_in(path: Path) -> dict[str, LiveAgent]:
    """The living agent of each conversation that has one."""
    found = {}
    for conversation, text, identity in _read(path, "SELECT conversation_id, holder, identity FROM leases"):
        holder = Holder.parse(text)
        if holder is not None and not holder.is_known_to_be_dead():
            found[conversation] = LiveAgent(holder.process.pid, identity)
    return found


def _read(path: Path, query: str, *values: str) -> list[tuple[str, ...]]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query, values).fetchall()
