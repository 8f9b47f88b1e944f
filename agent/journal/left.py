"""What calls have left undelivered, in order: no turn is brought to the thread before those that were said before it.

A turn is left when no living process carries its call. One that a call gave up, as the server does not take it, holds
nothing up. All functions run on the journal's thread.
"""

import math
import sqlite3

from agent.journal import carriers
from agent.turns import Turn


def left_in(db: sqlite3.Connection, conversation_id: str) -> list[Turn]:
    """What is left in a conversation, up to the first turn that a living call is still bringing."""
    query = (
        "SELECT call_id, turn, given_up_at IS NOT NULL FROM turns"
        " WHERE conversation_id = ? AND delivered_at IS NULL ORDER BY position"
    )
    rows = db.execute(query, (conversation_id,)).fetchall()
    carried = carriers.carried_calls(db) if rows else frozenset()
    turns: list[Turn] = []
    for call_id, line, given_up in rows:
        if call_id not in carried:
            turns.append(Turn.from_json(line))
        elif not given_up:
            break
    return turns


def left_before(db: sqlite3.Connection, conversation_id: str, call_id: str) -> list[Turn] | None:
    """What is left of what was said before a call's first turn; None while another living call brings some of it."""
    query = (
        "SELECT call_id, turn FROM turns"
        " WHERE conversation_id = ? AND delivered_at IS NULL AND given_up_at IS NULL AND call_id IS NOT ?"
        " AND position < IFNULL((SELECT MIN(position) FROM turns WHERE call_id = ?), ?) ORDER BY position"
    )
    rows = db.execute(query, (conversation_id, call_id, call_id, math.inf)).fetchall()
    carried = carriers.carried_calls(db) if rows else frozenset()
    return None if any(call in carried for call, _ in rows) else [Turn.from_json(line) for _, line in rows]


def conversations_with_left(db: sqlite3.Connection) -> list[str]:
    """The conversations in which `left_in` finds something, the longest waiting first."""
    rows = db.execute(
        "SELECT conversation_id, call_id, MIN(position), MIN(position) FILTER (WHERE given_up_at IS NULL) FROM turns"
        " WHERE delivered_at IS NULL GROUP BY conversation_id, call_id ORDER BY MIN(position)"
    ).fetchall()
    carried = carriers.carried_calls(db) if rows else frozenset()
    left: dict[str, int] = {}
    held: dict[str, int] = {}
    for conversation, call_id, first, first_wanted in rows:
        if call_id not in carried:
            left.setdefault(conversation, first)
        elif first_wanted is not None:
            held[conversation] = min(first_wanted, held.get(conversation, first_wanted))
    return [conversation for conversation, first in left.items() if first < held.get(conversation, math.inf)]
