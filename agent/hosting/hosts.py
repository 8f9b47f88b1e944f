"""All processes for calls that a worker has, and who gets a place where."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any

from livekit.agents.ipc import job_proc_executor

from agent.hosting.host_process import Functions, HostProcess, Supervision
from agent.hosting.leftovers import SOURCE_THREAD, threads_named
from agent.hosting.placement import APART_S, Occupancy, choose, is_spare
from agent.hosting.seat import Seat


@dataclass
class _Hosted:
    """A process, and how full it is."""

    process: HostProcess
    loading: asyncio.Task[None]
    taken: int = 0
    opened: int = 0
    stranded: int = 0

    def count_stranded(self) -> None:
        """Look how many tracks it has more than calls; a place that waits for its call has none yet."""
        if (pid := self.process.pid) is not None:
            self.stranded = max(0, threads_named(pid, SOURCE_THREAD) - self.taken)


class Hosts:
    """Gives each job a seat, in the fullest process that has room, and ends processes that are not needed.

    Args:
        seats: how many calls a process has at most.
    """

    def __init__(self, seats: int) -> None:
        self._seats = seats
        self._hosted: list[_Hosted] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._options: dict[str, Any] = {}
        self._apart_until = 0.0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """While entered the pool of livekit-agents (1.8.9) takes seats of these where it would start processes.

        The library has no setting for it: its pool makes executors of two kinds, by name. With a single seat there is
        nothing to share, and the library's own processes do.
        """
        if self._seats == 1:
            yield
            return
        before = job_proc_executor.ProcJobExecutor
        job_proc_executor.ProcJobExecutor = self._seat  # type: ignore[misc, assignment]
        try:
            yield
        finally:
            job_proc_executor.ProcJobExecutor = before  # type: ignore[misc]
            await self._end_all()

    async def _end_all(self) -> None:
        for hosted in list(self._hosted):
            self._end(hosted)
        while self._ending:
            await asyncio.wait(self._ending)

    async def occupy(self) -> HostProcess:
        """A process with a place that is now taken, loaded.

        Raises:
            RuntimeError: it cannot be loaded (also TimeoutError, DuplexClosed, OSError).
        """
        apart = time.monotonic() < self._apart_until
        index = choose([self._occupancy(hosted) for hosted in self._hosted], apart=apart)
        hosted = self._hosted[index] if index is not None else self._begin()
        hosted.taken += 1
        hosted.opened += 1
        try:
            # Others may wait for the same process.
            await asyncio.shield(hosted.loading)
        except BaseException:
            self.leave(hosted.process)
            raise
        return hosted.process

    def died(self) -> None:
        """A process has died with its calls: for a while the next ones are kept apart."""
        self._apart_until = time.monotonic() + APART_S

    def leave(self, process: HostProcess) -> None:
        """A place is free again."""
        hosted = next((hosted for hosted in self._hosted if hosted.process is process), None)
        if hosted is None:
            return
        hosted.taken -= 1
        hosted.count_stranded()
        for each in list(self._hosted):
            others = [self._occupancy(other) for other in self._hosted if other is not each]
            if is_spare(self._occupancy(each), others):
                self._end(each)

    def _seat(self, **options: Any) -> Seat:
        """What the pool calls in place of the constructor of `ProcJobExecutor`, with the same arguments."""
        self._options = options
        seat = {name: options[name] for name in _SEAT_OPTIONS}
        return Seat(self, **seat)

    def _begin(self) -> _Hosted:
        given = self._options
        functions = Functions(
            prepare=given["initialize_process_fnc"],
            entrypoint=given["job_entrypoint_fnc"],
            session_end=given["session_end_fnc"],
            session_end_timeout=given["session_end_timeout"],
        )
        supervision = Supervision(**{field.name: given[field.name] for field in fields(Supervision)})
        process = HostProcess(functions, supervision, given["mp_ctx"], given["loop"])
        hosted = _Hosted(process, asyncio.create_task(process.load(), name="a process for calls loads"))
        self._hosted.append(hosted)
        return hosted

    def _occupancy(self, hosted: _Hosted) -> Occupancy:
        failed = hosted.loading.done() and (hosted.loading.cancelled() or hosted.loading.exception() is not None)
        usable = not failed and hosted.process.is_running
        return Occupancy(self._seats, hosted.taken, hosted.opened, hosted.stranded, usable)

    def _end(self, hosted: _Hosted) -> None:
        self._hosted.remove(hosted)
        task = asyncio.create_task(self._ended(hosted), name="a process for calls ends")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _ended(self, hosted: _Hosted) -> None:
        await asyncio.wait({hosted.loading})
        await hosted.process.aclose()
        hosted.process.forget()


# Of what a process is given, what a seat in it needs, too.
_SEAT_OPTIONS = (
    "initialize_process_fnc",
    "job_entrypoint_fnc",
    "session_end_fnc",
    "simulation_end_fnc",
    "inference_executor",
    "initialize_timeout",
    "close_timeout",
    "session_end_timeout",
    "ping_interval",
    "high_ping_threshold",
    "http_proxy",
    "loop",
)
