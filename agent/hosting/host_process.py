"""The worker's side of a process for several calls."""

import asyncio
import multiprocessing
import socket
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

import psutil
from livekit.agents.ipc.channel import Message
from livekit.agents.ipc.supervised_proc import SupervisedProc, SupervisedProcKind
from livekit.agents.utils import aio

from agent.hosting.host_main import Entrypoint, HostArgs, Prepare, host_main


@dataclass(frozen=True)
class Functions:
    """What runs in the process; see `HostArgs`."""

    prepare: Prepare
    entrypoint: Entrypoint
    session_end: Entrypoint | None
    session_end_timeout: float


@dataclass(frozen=True)
class Supervision:
    """How the library watches a process: seconds, and megabytes for the process with all its calls (0: any)."""

    initialize_timeout: float
    close_timeout: float
    ping_interval: float
    ping_timeout: float
    high_ping_threshold: float
    memory_warn_mb: float
    memory_limit_mb: float
    http_proxy: str | None


class HostProcess(SupervisedProc):
    """A process that takes seats. The library starts, pings and ends it as it does with its own.

    Args:
        functions: what runs in it.
        supervision: how it is watched.
        context: how processes are started.
        loop: the worker's.
    """

    def __init__(
        self,
        functions: Functions,
        supervision: Supervision,
        context: BaseContext,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(mp_ctx=context, loop=loop, **vars(supervision))
        self._functions = functions
        self._seats, self._its_seats = socket.socketpair()

    @property
    def process_kind(self) -> SupervisedProcKind:
        """See `SupervisedProc`."""
        return SupervisedProcKind.JOB

    @property
    def is_running(self) -> bool:
        """Whether it has neither ended nor been told to."""
        return not self._closing and not self.killed and self.exitcode is None

    async def load(self) -> None:
        """Start it, and wait until it has loaded what calls need.

        Raises:
            TimeoutError: it takes too long.
            RuntimeError: it cannot load.
            DuplexClosed: it ended meanwhile.
        """
        try:
            await self.start()
        finally:
            self._its_seats.close()
        await self.initialize()

    def open_seat(self, channel: socket.socket) -> None:
        """Have a thread for one job wait at the other end of this channel, of which the process gets a copy.

        Raises:
            OSError: the process has ended.
        """
        socket.send_fds(self._seats, [b"s"], [channel.fileno()])

    def forget(self) -> None:
        """It has ended."""
        self._seats.close()

    def _sample_memory_mb(self) -> tuple[float, str]:
        """The megabytes that the library compares with its limits, every five seconds, and what they are.

        It counts shared pages by share, for which the kernel walks through all pages of the process. What is resident
        is never less: while that is far from any limit, it will do.
        """
        resident = psutil.Process(self.pid).memory_info().rss / 2**20
        if resident < (self._opts.memory_warn_mb or self._opts.memory_limit_mb):
            return resident, "rss"
        return super()._sample_memory_mb()

    def _create_process(self, cch: socket.socket, log_cch: socket.socket) -> multiprocessing.Process:
        made: BaseProcess = self._mp_ctx.Process(  # type: ignore[attr-defined]
            target=host_main,
            args=(HostArgs(**vars(self._functions), channel=cch, log=log_cch, seats=self._its_seats),),
            name="job_proc",
        )
        return made  # type: ignore[return-value]

    async def _main_task(self, ipc_ch: aio.ChanReceiver[Message]) -> None:
        async for _ in ipc_ch:
            """What it says of itself concerns `SupervisedProc` alone; calls speak through their seats."""
