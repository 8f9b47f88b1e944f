"""The two stores that a journal can be kept in, for tests that hold for both: fixtures, and a look inside each."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest
from pydantic import SecretStr

from agent.journal import SqliteJournal
from agent.journal.processes import ProcessId, this_host
from agent.journal.redis import RedisJournal
from agent.leases import Holder, LeaseStore, SqliteLeases
from agent.leases.redis import RedisLeases
from tests.support.redis_server import RedisServer, running_redis

OpenJournal = SqliteJournal | RedisJournal


def open_at(place: str) -> OpenJournal:
    """The journal at a store's `place`, in whatever process."""
    return RedisJournal(SecretStr(place)) if place.startswith("redis://") else SqliteJournal(Path(place))


class Store(Protocol):
    """A store, and what a test may look at or change in it behind the journal's back.

    Attributes:
        place: for `open_at`.
    """

    place: str

    def leases(self) -> LeaseStore:
        """The leases beside the journal, which is opened first."""

    def carriers(self) -> list[str]:
        """What is carried: the id of each call, and an empty one for each claim of what is left."""

    def set_carrier(self, call_id: str, process: ProcessId) -> None:
        """Another process of this host brings a call's turns."""

    def set_process_of_call(self, call_id: str, process: ProcessId) -> None:
        """A call runs in another process of this host."""

    def set_age_of_notices(self, queued_at: float) -> None:
        """All notices were queued then."""

    def kept_bodies(self) -> int:
        """How many notices have a text."""

    def unfinished_business(self) -> tuple[list[str], int]:
        """The calls with an aftercare, and how many calls have a process."""


class SqliteStore:
    """See `Store`."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder / "journal.db")

    def leases(self) -> LeaseStore:
        """See `Store.leases`."""
        return SqliteLeases(Path(self.place))

    def carriers(self) -> list[str]:
        """See `Store.carriers`."""
        return [str(row[0]) for row in self._sql("SELECT call_id FROM carriers ORDER BY call_id")]

    def set_carrier(self, call_id: str, process: ProcessId) -> None:
        """See `Store.set_carrier`."""
        change = "UPDATE carriers SET pid = ?, process_started = ? WHERE call_id = ?"
        self._sql(change, process.pid, process.started, call_id)

    def set_process_of_call(self, call_id: str, process: ProcessId) -> None:
        """See `Store.set_process_of_call`."""
        change = "UPDATE call_processes SET pid = ?, started = ? WHERE call_id = ?"
        self._sql(change, process.pid, process.started, call_id)

    def set_age_of_notices(self, queued_at: float) -> None:
        """See `Store.set_age_of_notices`."""
        self._sql("UPDATE notices SET queued_at = ?", queued_at)

    def kept_bodies(self) -> int:
        """See `Store.kept_bodies`."""
        return len(self._sql("SELECT id FROM notices WHERE body IS NOT NULL"))

    def unfinished_business(self) -> tuple[list[str], int]:
        """See `Store.unfinished_business`."""
        owed = [str(row[0]) for row in self._sql("SELECT call_id FROM aftercare")]
        return owed, len(self._sql("SELECT call_id FROM call_processes"))

    def _sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.place, isolation_level=None)) as db:
            return db.execute(statement, values).fetchall()


class RedisStore:
    """See `Store`."""

    def __init__(self, server: RedisServer) -> None:
        self.place = server.url.get_secret_value()
        self._redis = server.client()

    def leases(self) -> LeaseStore:
        """See `Store.leases`."""
        return RedisLeases(SecretStr(self.place))

    def carriers(self) -> list[str]:
        """See `Store.carriers`."""
        claims = [""] * self._redis.hlen(_key("claims"))
        return claims + sorted(map(str, self._redis.hkeys(_key("carried"))))

    def set_carrier(self, call_id: str, process: ProcessId) -> None:
        """See `Store.set_carrier`."""
        self._redis.hset(_key("carried"), call_id, self._beating(process))

    def set_process_of_call(self, call_id: str, process: ProcessId) -> None:
        """See `Store.set_process_of_call`."""
        self._redis.hset(_key("running"), call_id, self._beating(process))

    def set_age_of_notices(self, queued_at: float) -> None:
        """See `Store.set_age_of_notices`."""
        by_age = _key("waiting_notices_by_age")
        for notice in map(str, self._redis.zrange(by_age, 0, -1)):
            self._redis.zadd(by_age, {notice: queued_at})
            self._redis.hset(_key(f"notice:{notice}"), "queued_at", str(queued_at))

    def kept_bodies(self) -> int:
        """See `Store.kept_bodies`."""
        return sum(self._redis.hexists(key, "body") for key in self._redis.keys(_key("notice:*")))

    def unfinished_business(self) -> tuple[list[str], int]:
        """See `Store.unfinished_business`."""
        prefix = _key("aftercare:")
        owed = [str(key).removeprefix(prefix) for key in self._redis.keys(f"{prefix}*")]
        return owed, self._redis.hlen(_key("running"))

    def close(self) -> None:
        """End the connection."""
        self._redis.close()

    def _beating(self, process: ProcessId) -> str:
        """A process that has just shown that it lives."""
        name = str(Holder(this_host(), process))
        seconds, microseconds = self._redis.time()
        self._redis.zadd(_key("beats"), {name: seconds + microseconds / 1e6})
        return name


def _key(name: str) -> str:
    return f"{{voice-agent}}:{name}"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One redis-server for all tests that need one; those that harm it start their own."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_store(redis_server: RedisServer) -> Iterator[RedisStore]:
    """An empty Redis."""
    store = RedisStore(redis_server)
    with redis_server.client() as client:
        client.flushall()
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each store in turn, empty."""
    if request.param == "sqlite":
        return SqliteStore(tmp_path)
    made: RedisStore = request.getfixturevalue("redis_store")
    return made


@pytest.fixture
def journal(store: Store) -> Iterator[OpenJournal]:
    """A journal in each store."""
    with open_at(store.place) as opened:
        yield opened
