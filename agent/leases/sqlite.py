"""Leases in the journal's SQLite file, so that the transaction that writes a turn can check the epoch."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from agent.leases.lease import Holder, Lease, LeaseError, Tenancy

COLUMNS = "room, call_id, conversation_id, identity, dispatch_id, epoch, holder, taken_at, takeovers, resumes, saying"
LOCK_TIMEOUT_S = 5.0
# A call that was cut off longer ago is not gone on with.
RESUMED_WITHIN_S = 60.0

Result = TypeVar("Result")


class SqliteLeases:
    """See `LeaseStore`. The tables are the journal's, which is opened first.

    Args:
        path: the journal's file.

    Raises:
        LeaseError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Takeovers under way share the connection, each from a thread of its own, and so does whoever closes it.
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
            # A lease need not outlive the machine: several renewals a second are not worth a sync of the disk each.
            self._db.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            raise LeaseError(f"{path}: {error}") from error

    def take(self, tenancy: Tenancy, holder: str, ttl: float, job: str = "") -> Lease | None:
        """See `LeaseStore.take`."""

        def work() -> Lease | None:
            now = time.time()
            before, expires_at = self._find_one("room = ?", tenancy.room)
            if before is None:
                lease = Lease(tenancy, 1, holder, now)
            elif before.holder == _awaited(tenancy.dispatch_id) or _is_free(before, expires_at, now):
                lease = _successor(before, expires_at, tenancy, holder, now)
            else:
                return None
            self._put(lease, now + ttl)
            self._db.execute("INSERT OR REPLACE INTO leased_jobs (room, metadata) VALUES (?, ?)", (tenancy.room, job))
            return lease

        return self._transaction(work)

    def renew(self, lease: Lease, ttl: float, saying: str = "") -> bool:
        """See `LeaseStore.renew`."""
        return self._change("expires_at = ?, saying = ?", lease, time.time() + ttl, saying)

    def release(self, lease: Lease) -> None:
        """See `LeaseStore.release`; the row stays until it is pruned, as its epoch goes on counting."""

        def work() -> None:
            if self._update("holder = '', saying = ''", lease):
                self._db.execute("DELETE FROM leased_jobs WHERE room = ?", (lease.tenancy.room,))

        self._transaction(work)

    def abandon(self, lease: Lease) -> None:
        """See `LeaseStore.abandon`."""
        self._change("expires_at = ?", lease, time.time())

    def lapsed(self) -> list[Lease]:
        """See `LeaseStore.lapsed`."""
        held = self._read(lambda: self._find("holder != ''"))
        now = time.time()
        # Calls that share a process are looked at once.
        gone = {holder: _is_gone(holder) for holder in {lease.holder for lease, expires_at in held if expires_at > now}}
        return [lease for lease, expires_at in held if expires_at <= now or gone[lease.holder]]

    def reserve(self, lease: Lease, holder: str, ttl: float) -> Lease | None:
        """See `LeaseStore.reserve`."""

        def work() -> Lease | None:
            now = time.time()
            before, expires_at = self._find_one("room = ? AND epoch = ?", lease.tenancy.room, lease.epoch)
            if before is None or not _is_free(before, expires_at, now):
                return None
            reserved = replace(before, epoch=before.epoch + 1, holder=holder)
            self._put(reserved, now + ttl)
            return reserved

        return self._transaction(work)

    def await_dispatch(self, lease: Lease, dispatch_id: str, ttl: float) -> bool:
        """See `LeaseStore.await_dispatch`."""
        change, awaited = "holder = ?, dispatch_id = ?, expires_at = ?, saying = ''", _awaited(dispatch_id)
        if self._change(change, lease, awaited, dispatch_id, time.time() + ttl):
            return True
        return self._change("holder = holder", replace(lease, holder=awaited))  # said before, and true still

    def job_of(self, lease: Lease) -> str:
        """See `LeaseStore.job_of`."""
        query = "SELECT metadata FROM leased_jobs WHERE room = ?"
        row = self._read(lambda: self._db.execute(query, (lease.tenancy.room,)).fetchone())
        return "" if row is None else str(row[0])

    def close(self) -> None:
        """See `LeaseStore.close`."""
        with self._lock:
            self._db.close()

    def _change(self, change: str, lease: Lease, *values: Any) -> bool:
        return self._transaction(lambda: self._update(change, lease, *values))

    def _update(self, change: str, lease: Lease, *values: Any) -> bool:
        query = f"UPDATE leases SET {change} WHERE room = ? AND epoch = ? AND holder = ?"
        where = (lease.tenancy.room, lease.epoch, lease.holder)
        return self._db.execute(query, (*values, *where)).rowcount == 1

    def _find_one(self, condition: str, *values: Any) -> tuple[Lease | None, float]:
        found = self._find(condition, *values)
        return found[0] if found else (None, 0.0)

    def _find(self, condition: str, *values: Any) -> list[tuple[Lease, float]]:
        with closing(self._db.execute(f"SELECT {COLUMNS}, expires_at FROM leases WHERE {condition}", values)) as rows:
            return [(Lease(Tenancy(*row[:5]), *row[5:11]), row[11]) for row in rows]

    def _put(self, lease: Lease, expires_at: float) -> None:
        tenancy = lease.tenancy
        self._db.execute(
            f"INSERT OR REPLACE INTO leases ({COLUMNS}, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(tenancy.room, tenancy.call_id, tenancy.conversation_id, tenancy.identity, tenancy.dispatch_id),
                *(lease.epoch, lease.holder, lease.taken_at, lease.takeovers, lease.resumes, lease.saying, expires_at),
            ),
        )

    def _read(self, work: Callable[[], Result]) -> Result:
        try:
            with self._lock:
                return work()
        except sqlite3.Error as error:
            raise LeaseError(f"{self._path}: {error}") from error

    def _transaction(self, work: Callable[[], Result]) -> Result:
        try:
            with self._lock:
                self._db.execute("BEGIN IMMEDIATE")
                with self._db:
                    return work()
        except sqlite3.Error as error:
            raise LeaseError(f"{self._path}: {error}") from error


def _awaited(dispatch_id: str) -> str:
    return f"dispatch:{dispatch_id}"


def _is_free(lease: Lease, expires_at: float, now: float) -> bool:
    return not lease.holder or expires_at <= now or _is_gone(lease.holder)


def _is_gone(holder: str) -> bool:
    """Whether it is a process that is known to be dead."""
    process = Holder.parse(holder)
    return process is not None and process.is_known_to_be_dead()


def _successor(before: Lease, expires_at: float, tenancy: Tenancy, holder: str, now: float) -> Lease:
    """The lease of the next call in a room, which goes on with the one before if that was cut off just now."""
    lease = Lease(tenancy, before.epoch + 1, holder, now)
    cut_off = bool(before.holder) and now - expires_at < RESUMED_WITHIN_S
    if not cut_off or before.tenancy.conversation_id != tenancy.conversation_id:
        return lease
    takeovers = before.takeovers_in_a_row(now) + 1
    return replace(lease, takeovers=takeovers, resumes=before.tenancy.call_id, saying=before.saying)
