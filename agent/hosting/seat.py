"""A place for one job in a process that has several: for the library, one of its executors."""

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING, Any

from livekit.agents.ipc.job_executor import JobStatus
from livekit.agents.ipc.job_thread_executor import ThreadJobExecutor
from livekit.agents.utils.aio.duplex_unix import _AsyncDuplex

from agent.hosting.host_process import HostProcess

if TYPE_CHECKING:
    from agent.hosting.hosts import Hosts

logger = logging.getLogger("agent.hosting")

# The channel of a process that was killed closes before the process is known to be gone.
DEATH_SHOWS_S = 0.2


class Seat(ThreadJobExecutor):
    """As the library's executor in a thread, but the thread is in a process of `Hosts`.

    Args:
        hosts: who has the processes.
        close_timeout: a call that does not end within twice this many seconds is ended with its process.
        options: what `ThreadJobExecutor` takes.
    """

    def __init__(self, hosts: "Hosts", close_timeout: float, **options: Any) -> None:
        super().__init__(close_timeout=close_timeout, **options)
        self._hosts = hosts
        self._patience = 2 * close_timeout
        self._host: HostProcess | None = None
        self._starting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Find a place; whoever waits for it may be cancelled, and then closes it."""
        self._starting = asyncio.create_task(self._start())
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        async with self._lock:
            self._host = await self._hosts.occupy()
            try:
                await self._sit_down(self._host)
            except BaseException:
                self._hosts.leave(self._host)
                raise

    async def _sit_down(self, host: HostProcess) -> None:
        mine, theirs = socket.socketpair()
        with theirs:
            try:
                self._pch = await _AsyncDuplex.open(mine)
            except BaseException:
                mine.close()
                raise
            try:
                host.open_seat(theirs)
            except OSError:
                await self._pch.aclose()
                raise
        self._join_fut = asyncio.Future[None]()
        self._main_atask = asyncio.create_task(self._main_task())

    async def aclose(self) -> None:
        """End the job; one that does not end is killed, and its neighbours with it, which others then take over."""
        if self._starting is not None:
            await asyncio.wait({self._starting})
        if not self.started:
            return
        if not self._initialize_fut.done():
            # The library's executor would not listen to its thread, and wait for ever.
            self._initialize_fut.set_exception(RuntimeError("closed before it was loaded"))
        closing = asyncio.create_task(super().aclose())
        done, _ = await asyncio.wait({closing}, timeout=self._patience)
        if not done and self._host is not None:
            logger.error("a call does not end: its process is killed", extra=self.logging_extra())
            await self._host.kill()
        await closing

    async def _monitor_task(self) -> None:
        # The end of the channel is all that is seen here of the thread's end.
        await super()._monitor_task()
        self._join_fut.set_result(None)

    async def _main_task(self) -> None:
        assert self._host is not None
        try:
            await super()._main_task()
            if self.running_job is not None and not await self._outlived():
                self._job_status = JobStatus.FAILED
                self._hosts.died()
        finally:
            self._hosts.leave(self._host)

    async def _outlived(self) -> bool:
        """Whether the process goes on after the job."""
        assert self._host is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DEATH_SHOWS_S):
                await self._host.join()
        return self._host.exitcode in (None, 0)

    def logging_extra(self) -> dict[str, Any]:
        """Which job, and in which process."""
        extra = super().logging_extra()
        del extra["tid"]
        return {"pid": self._host.pid if self._host is not None else None, **extra}
