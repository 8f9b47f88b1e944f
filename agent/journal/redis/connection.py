"""Requests to Redis, each bounded in time."""

import threading
import time
from typing import Any

from pydantic import SecretStr
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from agent.journal.redis.scripts import Argument, as_text, script
from agent.redis_address import name_of

# So long a request is tried: Redis may be restarted, or another node takes its place.
PATIENCE_S = 2.0
# The same while Redis does not answer: what waits in line must not wait so long again.
IMPATIENCE_S = 0.25
RETRY_EVERY_S = 0.05
# What may come right by itself.
PASSING = (RedisConnectionError, RedisTimeoutError, ReadOnlyError)


class RedisDown(RuntimeError):
    """Redis did not answer in time, or refused; the message says which one and why, and holds no secret."""


class RedisConnection:
    """Runs commands in Redis (see scripts.py); for several threads. Does not connect before the first.

    A command whose answer was lost is sent again: the script takes care that nothing counts twice.

    Args:
        url: where Redis is; see agent/redis_address.py.
        patience_s: seconds that a command is tried; an attempt that hangs ends after as many.
    """

    def __init__(self, url: SecretStr, patience_s: float = PATIENCE_S) -> None:
        self.url = url
        self.name = name_of(url.get_secret_value())
        self._patience_s = patience_s
        self._answers = threading.Event()
        self._answers.set()
        self._redis = Redis.from_url(
            url.get_secret_value(),
            decode_responses=True,
            protocol=2,
            socket_timeout=patience_s / 2,
            socket_connect_timeout=patience_s / 2,
            retry=Retry(NoBackoff(), 0),
        )
        self._script = self._redis.register_script(script())

    def run(self, command: str, *arguments: Argument) -> Any:
        """Run a command; returns its answer.

        Raises:
            RedisDown: Redis cannot be reached in time, or refuses.
        """
        texts = [command, *map(as_text, arguments)]
        until = time.monotonic() + (self._patience_s if self._answers.is_set() else IMPATIENCE_S)
        while True:
            try:
                answer = self._script(args=texts)
            except PASSING as error:
                if time.monotonic() + RETRY_EVERY_S >= until:
                    self._answers.clear()
                    raise RedisDown(f"{self.name} does not answer ({_reason(error)})") from None
                time.sleep(RETRY_EVERY_S)
            except RedisError as error:
                raise RedisDown(f"{self.name} refuses: {_reason(error)}") from None
            else:
                self._answers.set()
                return answer

    def members(self, key: str, cursor: int) -> tuple[int, list[str]]:
        """Some members of a set, and the cursor for more; 0: that was all."""
        try:
            following, found = self._redis.sscan(f"{{voice-agent}}:{key}", cursor, count=500)
        except RedisError as error:
            raise RedisDown(f"{self.name} does not answer ({_reason(error)})") from None
        return int(following), [str(member) for member in found]

    def setting(self, name: str) -> str | None:
        """One setting of Redis; None where it is not told, as with many that are rented."""
        try:
            value = self._redis.config_get(name).get(name)
        except PASSING as error:
            raise RedisDown(f"{self.name} does not answer ({_reason(error)})") from None
        except RedisError:
            return None
        return None if value is None else str(value)

    def close(self) -> None:
        """End all connections."""
        self._redis.close()


def _reason(error: RedisError) -> str:
    """Without what Redis quotes of the request: that may be what people said."""
    first = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first.partition(' script: ')[0]}"[:200]
