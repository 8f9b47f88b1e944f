"""What only Redis can do to a journal: hang, end, come back, forget; and hosts that see nothing of each other."""

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.journal import CallEvent, CallRecord, JournalError, Notice
from agent.journal.forgiving import CallJournal
from agent.journal.processes import ProcessId
from agent.journal.redis import RedisConnection, RedisJournal
from agent.journal.redis.heartbeat import warn_of_settings
from agent.journal.redis.journal import LONGEST_S
from agent.leases import Holder, LeaseError, Tenancy
from agent.leases.redis import RedisLeases
from tests.support.redis_server import PASSWORD, RedisServer, running_redis
from tests.support.stores import RedisStore
from tests.support.tcp_proxy import TcpProxy, Way
from tests.support.turns import make_turn

TENANCY = Tenancy("room", "call", "c", "agent", "dispatch")
ELSEWHERE = Holder("elsewhere", ProcessId(1, 2.0))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A redis-server that a test may harm."""
    with running_redis(tmp_path / "redis") as running:
        yield running


async def test_what_was_acknowledged_survives_a_killed_redis(server: RedisServer) -> None:
    """Each write is synced before it is acknowledged, and the journal goes on with the server that comes back."""
    with RedisJournal(server.url) as journal:
        for number in range(50):
            await journal.append(make_turn(str(number)))
        server.kill()
        server.start()
        assert [turn.text for turn in await journal.pending("c")] == [str(number) for number in range(50)]


async def test_a_redis_that_is_restarted_loses_no_turn(server: RedisServer) -> None:
    """What is said meanwhile waits for it."""
    with RedisJournal(server.url) as journal:
        await journal.append(make_turn("before", id="1"))
        server.kill()
        meanwhile = asyncio.create_task(journal.append(make_turn("meanwhile", id="2")))
        await asyncio.to_thread(server.start)
        await meanwhile
        assert [turn.text for turn in await journal.pending("c")] == ["before", "meanwhile"]


async def test_a_redis_that_hangs_stalls_no_call(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Each request fails within a bound, however many wait in line; the call goes on and says so once."""
    with RedisJournal(server.url) as journal:
        call = CallJournal(journal, CallRecord("call", "c", "room", 1.0))
        await call.started()
        server.freeze()
        begun = time.monotonic()
        await asyncio.gather(*(call.append(make_turn(str(number)), delivered=False) for number in range(20)))
        assert time.monotonic() - begun < LONGEST_S + 1.0
        assert call.lost == 20
        begun = time.monotonic()
        with pytest.raises(JournalError, match="does not answer"):
            await journal.append(make_turn("later"))
        assert time.monotonic() - begun < LONGEST_S + 1.0
        server.thaw()
        await until_written(journal)
    assert sum("goes on without the journal" in record.message for record in caplog.records) == 1


async def until_written(journal: RedisJournal) -> None:
    """Until a turn can be written again."""
    async with asyncio.timeout(30):
        while True:
            try:
                await journal.append(make_turn("again", id="again"))
                return
            except JournalError:
                await asyncio.sleep(0.05)


def test_leases_of_a_redis_that_hangs_fail_in_time(server: RedisServer) -> None:
    """A lease is renewed several times in its life, so one renewal may not take all of it."""
    leases = RedisLeases(server.url)
    lease = leases.take(TENANCY, str(Holder.current()), 60.0)
    assert lease is not None
    server.freeze()
    begun = time.monotonic()
    with pytest.raises(LeaseError):
        leases.renew(lease, 60.0)
    assert time.monotonic() - begun < 1.5
    server.thaw()
    assert leases.renew(lease, 60.0)
    leases.close()


async def test_an_outage_of_redis_takes_no_call_over(server: RedisServer) -> None:
    """While it was away nobody could renew, which says nothing of the calls: they get the time to do it."""
    leases = RedisLeases(server.url)
    with RedisJournal(server.url) as journal:
        lease = leases.take(TENANCY, str(ELSEWHERE), 1.0)
        assert lease is not None
        assert leases.lapsed() == []
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(1.5)
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(30):
            while True:
                try:
                    assert leases.lapsed() == []
                    break
                except LeaseError:
                    await asyncio.sleep(0.02)
        assert leases.reserve(lease, "takeover:hasty", 60.0) is None
        assert leases.renew(lease, 1.0)
        async with asyncio.timeout(30):
            while not leases.lapsed():
                await asyncio.sleep(0.05)
        await journal.append(make_turn("said"), fence=lease.fence)
    leases.close()


async def test_an_event_whose_acknowledgement_was_lost_stands_once(redis_store: RedisStore) -> None:
    """It is sent again, and Redis knows it: nothing that happened is counted twice."""
    port = int(redis_store.place.rpartition(":")[2].partition("/")[0])
    async with TcpProxy(port) as proxy:
        url = SecretStr(redis_store.place.replace(f":{port}", f":{proxy.port}"))
        with RedisJournal(url) as journal:
            await journal.call_started(CallRecord("call", "c", "room", 1.0))
            for number in range(5):
                proxy.reset_after_bytes(0, Way.TO_CLIENT)
                await journal.record(
                    CallEvent("call", float(number), "tool"), Notice(str(number), "call", "tool", 1.0, "{}")
                )
                proxy.reset_after_bytes(0, Way.TO_CLIENT)
                await journal.outbox.postponed(str(number), 2.0, "later", refused=True)
            assert [event.at for event in await journal.events_of_call("call")] == [0.0, 1.0, 2.0, 3.0, 4.0]
            assert [notice.attempts for notice in await journal.outbox.notices_of_call("call")] == [1] * 5


async def test_a_process_of_another_host_lives_as_long_as_it_says_so(redis_store: RedisStore) -> None:
    """Its number means nothing here; when it is silent for some seconds, others bring what it left."""
    url = SecretStr(redis_store.place)
    with RedisJournal(url) as journal:
        far = RedisJournal(url, holder=ELSEWHERE)
        await far.call_started(CallRecord("call", "c", "room", 1.0))
        await far.append(make_turn("said", id="said"))
        assert await journal.pending("c") == []
        assert await journal.running_calls() == {"call"}
        far.close()
        assert await journal.claim("c") == []
        async with asyncio.timeout(30):
            while not (left := await journal.claim("c")):
                await asyncio.sleep(0.1)
        assert [turn.id for turn in left] == ["said"]
        assert await journal.running_calls() == frozenset()
        follower = RedisJournal(url, holder=replace(ELSEWHERE, host="third"))
        assert await follower.claim("c") is None
        await journal.release("c")
        assert await follower.claim("c") == left
        follower.close()


def test_a_redis_that_forgets_is_warned_of(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """The worker says which setting promises less than a journal should, and nothing when all is well."""
    connection = RedisConnection(server.url)
    warn_of_settings(connection)
    assert caplog.records == []
    with server.client() as client:
        client.config_set("appendfsync", "everysec")
        client.config_set("maxmemory-policy", "allkeys-lru")
    with caplog.at_level(logging.WARNING):
        warn_of_settings(connection)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert "appendfsync everysec, not always" in caplog.text
    assert "maxmemory-policy allkeys-lru, not noeviction" in caplog.text
    connection.close()


async def test_no_password_and_no_words_in_an_error(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever Redis refuses and why."""
    url = SecretStr(server.url.get_secret_value().replace(PASSWORD, "planted-secret"))
    with RedisJournal(url) as refused, pytest.raises(JournalError, match=r"Redis at 127\.0\.0\.1") as wrong_password:
        await refused.append(make_turn("heliotrope"))
    with RedisJournal(server.url) as journal:
        with server.client() as client:
            client.set("{voice-agent}:position", "no number")
        with pytest.raises(JournalError, match="refuses") as damaged:
            await journal.append(make_turn("heliotrope"))
    said = f"{wrong_password.value} {damaged.value} {caplog.text}"
    assert "planted-secret" not in said
    assert PASSWORD not in said
    assert "heliotrope" not in said


async def test_a_full_redis_refuses_and_a_call_goes_on(server: RedisServer) -> None:
    """Nothing is half written, and nothing that was written is thrown away."""
    with RedisJournal(server.url) as journal:
        await journal.append(make_turn("fits", id="1"))
        with server.client() as client:
            client.config_set("maxmemory", "1")
            with pytest.raises(JournalError, match=r"OOM|maxmemory"):
                await journal.append(make_turn("too much", id="2"))
            client.config_set("maxmemory", "0")
        await journal.append(make_turn("fits again", id="3"))
        assert [turn.id for turn in await journal.pending("c")] == ["1", "3"]
