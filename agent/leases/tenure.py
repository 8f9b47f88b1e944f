"""A call's hold on its room, from its first second to its last."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from agent.leases.lease import Holder, Lease, LeaseError, LeaseStore, Tenancy
from agent.turns import Turn

logger = logging.getLogger("agent.leases")

TTL_S = 1.5
RENEW_EVERY_S = 0.3
# The event loop shows so often that it runs.
BEAT_EVERY_S = 1.0
# An event loop that has not run for so long hangs: then the lease may lapse, and another process takes over.
HANGING_S = 5.0
# A call before this one may just be saying goodbye, and a takeover may still be writing down whom it waits for.
PATIENCE_S = 5.0
LOOK_EVERY_S = 0.05


class RoomTaken(RuntimeError):
    """Another agent is in the room."""


class Tenure:
    """A room that is held by this process, or a call that goes on without a lease because there is no store for one.

    The lease is renewed from a thread of its own: a busy event loop must not lose the room.

    Args:
        store: where leases are kept; closed by `release` and `abandon`. None when there is none.
        lease: the lease; None when there is none.
    """

    def __init__(self, store: LeaseStore | None = None, lease: Lease | None = None) -> None:
        self._store = store
        self.lease = lease
        self._loop = asyncio.get_running_loop()
        self._alive_at = time.monotonic()
        self._stop = threading.Event()
        self._beat: asyncio.TimerHandle | None = None
        self._saying = ""
        self._lost: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None
        if store is not None and lease is not None:
            self._note_alive()
            self._thread = threading.Thread(target=self._keep, args=(store, lease), name="lease", daemon=True)
            self._thread.start()

    @classmethod
    async def begin(cls, store: LeaseStore | None, tenancy: Tenancy, job: str = "") -> "Tenure":
        """Take a room.

        Args:
            store: see the class.
            tenancy: the call.
            job: what it was dispatched with, see `LeaseStore.take`.

        Raises:
            RoomTaken: another agent holds it, and goes on to do so.
        """
        if store is None:
            return cls()
        holder, patient_until = str(Holder.current()), time.monotonic() + PATIENCE_S
        try:
            while (lease := await asyncio.to_thread(store.take, tenancy, holder, TTL_S, job)) is None:
                if time.monotonic() > patient_until:
                    store.close()
                    raise RoomTaken("another agent is in the room")
                await asyncio.sleep(LOOK_EVERY_S)  # another process has no way to tell us
        except LeaseError as error:
            logger.error("the call goes on without a lease of its room: %s", error)
            return cls(store)
        return cls(store, lease)

    @property
    def resumes(self) -> str:
        """The call that was cut off and goes on with this one; empty when there is none."""
        return self.lease.resumes if self.lease is not None else ""

    def note_saying(self, turn: Turn | None) -> None:
        """What the agent is saying, as far as it was heard; None when it is silent. Written when the lease is renewed.

        Should this process die now, whoever takes over knows what people have heard.
        """
        self._saying = turn.to_json() if turn is not None else ""

    def when_lost(self, lost: Callable[[], None]) -> None:
        """Call this in the event loop, once, when another process takes the room over."""
        self._lost = lost

    async def release(self) -> None:
        """The call is over, and the room free."""
        await self._end(lambda store, lease: store.release(lease))

    async def abandon(self) -> None:
        """The call is over for this process only: another one goes on with it."""
        await self._end(lambda store, lease: store.abandon(lease))

    def _note_alive(self) -> None:
        self._alive_at = time.monotonic()
        self._beat = self._loop.call_later(BEAT_EVERY_S, self._note_alive)

    def _keep(self, store: LeaseStore, lease: Lease) -> None:
        while not self._stop.wait(RENEW_EVERY_S):
            if time.monotonic() - self._alive_at > HANGING_S:
                continue
            try:
                if not store.renew(lease, TTL_S, self._saying):
                    self._loop.call_soon_threadsafe(self._tell_lost)
                    return
            except LeaseError as error:
                logger.error("the lease of a call cannot be renewed: %s", error)

    def _tell_lost(self) -> None:
        if self._lost is not None and not self._stop.is_set():
            self._lost()

    async def _end(self, work: Callable[[LeaseStore, Lease], None]) -> None:
        if self._stop.is_set():
            return
        self._stop.set()
        if self._beat is not None:
            self._beat.cancel()
        await asyncio.to_thread(self._let_go, work)

    def _let_go(self, work: Callable[[LeaseStore, Lease], None]) -> None:
        if self._store is None:
            return
        try:
            if self._thread is not None and self.lease is not None:
                self._thread.join()
                work(self._store, self.lease)
        except LeaseError as error:
            logger.error("the lease of a call cannot be given up, it lapses by itself: %s", error)
        finally:
            self._store.close()
