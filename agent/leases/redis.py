"""Leases in Redis, so that the step that writes a turn can check the epoch; see agent/journal/redis/lua/leases.lua."""

import uuid
from typing import Any

from pydantic import SecretStr

from agent.journal.redis.connection import RedisConnection, RedisDown
from agent.journal.redis.scripts import Argument
from agent.leases.lease import Holder, Lease, LeaseError, Tenancy

# A lease is renewed several times in its life: a renewal that hangs must not cost all of it.
PATIENCE_S = 0.6


class RedisLeases:
    """See `LeaseStore`. A holder on this host is dead when its process is; one on another when its lease lapses.

    Args:
        url: where Redis is.
    """

    def __init__(self, url: SecretStr) -> None:
        self._connection = RedisConnection(url, PATIENCE_S)
        self._host = Holder.current().host

    def take(self, tenancy: Tenancy, holder: str, ttl: float, job: str = "") -> Lease | None:
        """See `LeaseStore.take`."""
        return _one(
            self._run(
                "take",
                uuid.uuid4().hex,
                *(tenancy.room, tenancy.call_id, tenancy.conversation_id, tenancy.identity, tenancy.dispatch_id),
                *(holder, ttl, self._dead_holder_of(tenancy.room), job),
            )
        )

    def renew(self, lease: Lease, ttl: float, saying: str = "") -> bool:
        """See `LeaseStore.renew`."""
        return bool(self._run("renew", *_key(lease), ttl, saying))

    def release(self, lease: Lease) -> None:
        """See `LeaseStore.release`; the epoch stays until it is pruned, as it goes on counting."""
        self._run("release_room", *_key(lease))

    def abandon(self, lease: Lease) -> None:
        """See `LeaseStore.abandon`."""
        self._run("abandon", *_key(lease))

    def lapsed(self) -> list[Lease]:
        """See `LeaseStore.lapsed`."""
        found = [(_lease(row[1:]), row[0] == 1) for row in self._run("look", self._host)]
        return [lease for lease, is_free in found if is_free or _is_known_to_be_dead(lease.holder)]

    def reserve(self, lease: Lease, holder: str, ttl: float) -> Lease | None:
        """See `LeaseStore.reserve`."""
        room = lease.tenancy.room
        return _one(self._run("reserve", room, lease.epoch, holder, ttl, self._dead_holder_of(room)))

    def await_dispatch(self, lease: Lease, dispatch_id: str, ttl: float) -> bool:
        """See `LeaseStore.await_dispatch`."""
        return bool(self._run("await_dispatch", *_key(lease), dispatch_id, ttl))

    def job_of(self, lease: Lease) -> str:
        """See `LeaseStore.job_of`."""
        return self._run("job_of", lease.tenancy.room) or ""

    def close(self) -> None:
        """See `LeaseStore.close`."""
        self._connection.close()

    def _dead_holder_of(self, room: str) -> str:
        """Who holds a room though its process on this host is gone; a dead one never comes back, so this stays true."""
        holder = self._run("holder_of", room)
        return holder if holder and _is_known_to_be_dead(holder) else "nobody"

    def _run(self, command: str, *arguments: Argument) -> Any:
        try:
            return self._connection.run(command, *arguments)
        except RedisDown as error:
            raise LeaseError(str(error)) from None


def _is_known_to_be_dead(holder: str) -> bool:
    process = Holder.parse(holder)
    return process is not None and process.is_known_to_be_dead()


def _key(lease: Lease) -> tuple[str, int, str]:
    return lease.tenancy.room, lease.epoch, lease.holder


def _one(row: list[str] | None) -> Lease | None:
    return None if row is None else _lease(row)


def _lease(row: list[str]) -> Lease:
    """The fields in the order of `FIELDS` in the script."""
    epoch, holder, taken_at, takeovers, resumes, saying = row[5:11]
    return Lease(Tenancy(*row[:5]), int(epoch), holder, float(taken_at), int(takeovers), resumes, saying)
