"""Tells the other hosts that this process lives, and warns of a Redis that forgets."""

import logging
import threading

from agent.journal.redis.connection import RedisConnection, RedisDown

logger = logging.getLogger("agent.journal")

# A process counts as dead after ten of these (PROCESS_TTL_S in lua/liveness.lua).
BEAT_EVERY_S = 0.5
# What must be set for what docs/journal-on-redis.md promises, and what happens otherwise.
NEEDED = {
    "appendonly": ("yes", "what was written since its last snapshot is lost when Redis ends"),
    "appendfsync": ("always", "the last second is lost when its machine dies"),
    "maxmemory-policy": ("noeviction", "it throws conversations away when its memory is full"),
}


class Heartbeat:
    """Beats from a thread of its own until `stop`: neither a busy event loop nor a slow request may hold it up.

    Args:
        connection: the connection, which others use, too.
        process: this process, as all hosts know it.
        check: look at the settings of Redis once, and warn.
    """

    def __init__(self, connection: RedisConnection, process: str, *, check: bool) -> None:
        self._connection = connection
        self._process = process
        self._unchecked = check
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what it has said of this process lapses by itself."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self._connection.run("beat", self._process)
                if self._unchecked:
                    warn_of_settings(self._connection)
                    self._unchecked = False
                self._failing = False
            except RedisDown as error:
                if not self._failing:
                    logger.error("other hosts may think that this process is dead: %s", error)
                self._failing = True
            if self._stop.wait(BEAT_EVERY_S):
                return


def warn_of_settings(connection: RedisConnection) -> None:
    """Warn of each setting of Redis with which less is promised; raises RedisDown when it does not answer."""
    for name, (wanted, otherwise) in NEEDED.items():
        value = connection.setting(name)
        if value is None:
            logger.warning("%s does not tell its %s: it must be %s", connection.name, name, wanted)
        elif value != wanted:
            logger.warning("%s has %s %s, not %s: %s", connection.name, name, value, wanted, otherwise)
