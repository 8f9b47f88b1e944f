"""The journal in one Redis for several hosts: their workers share turns, leases, takeovers and what is owed.

What changes is done in Lua, one script for each command: Redis runs it alone and whole, so that a fence is checked in
the same step that writes, and writes it to its log as one. `connection` bounds every request in time, `heartbeat` tells
the other hosts that this process lives. docs/journal-on-redis.md says what is promised, and what Redis must be set to.
"""

from agent.journal.redis.connection import RedisConnection, RedisDown
from agent.journal.redis.journal import RedisJournal

__all__ = ["RedisConnection", "RedisDown", "RedisJournal"]
