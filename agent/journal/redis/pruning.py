"""Removing what is old, in many short steps: Redis serves nobody else during one."""

from agent.journal.redis.connection import RedisConnection

AT_ONCE = 200


def prune(connection: RedisConnection, before: float) -> int:
    """Remove what `Journal.prune` removes; returns how many turns.

    Args:
        connection: to Redis.
        before: seconds since the epoch.

    Raises:
        RedisDown: Redis does not answer; some is removed then.
    """
    removed = _until_done(connection, "prune_turns", before)
    connection.run("forget_dead")
    _prune_calls(connection, before)
    _prune_events(connection, before)
    _until_done(connection, "prune_leases", before)
    _until_done(connection, "prune_notices", before)
    return removed


def _until_done(connection: RedisConnection, command: str, before: float) -> int:
    removed = 0
    while count := int(connection.run(command, before, AT_ONCE)):
        removed += count
    return removed


def _prune_calls(connection: RedisConnection, before: float) -> None:
    kept = 0
    while True:
        seen, kept_of_these = connection.run("prune_calls", before, kept, AT_ONCE)
        kept += kept_of_these
        if seen < AT_ONCE:
            return


def _prune_events(connection: RedisConnection, before: float) -> None:
    cursor = 0
    while True:
        cursor, calls = connection.members("calls_with_events", cursor)
        if calls:
            connection.run("prune_events", before, *calls)
        if cursor == 0:
            return
