"""What runs in a process for several calls: its main thread takes seats from the worker, each call has a thread.

A seat is one end of a socket pair; on it a thread of livekit-agents waits for its job as in the library's own thread
executor. What the process says to the worker about itself goes over the channel that the library's processes have.
"""

import asyncio
import gc
import signal
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from livekit.agents import JobContext, JobExecutorType, JobProcess
from livekit.agents.ipc.channel import Message
from livekit.agents.ipc.job_proc_lazy_main import ThreadStartArgs, thread_main
from livekit.agents.ipc.proc_client import _dump_stack_traces, _ProcClient
from livekit.agents.ipc.proto import InitializeRequest, ShutdownRequest, ShutdownRequestAck, ShuttingDown
from livekit.agents.telemetry.traces import _resource
from livekit.agents.utils import aio

from agent.hosting.ffi_routing import route_events

# A call whose worker is gone ends by itself; the process waits for it so long.
CALLS_END_S = 30.0

Prepare = Callable[[JobProcess], object]
Entrypoint = Callable[[JobContext], Awaitable[None]]


@dataclass(frozen=True)
class HostArgs:
    """What the worker gives to a process.

    Attributes:
        prepare: called first with a job process that gets no job, to load what all calls share, and then for each seat.
        entrypoint: runs a call.
        session_end: called when a session has ended, if there is such.
        session_end_timeout: seconds for that.
        channel: to the worker, about the process.
        log: the library's channel for log records, which stays silent, as a process writes its log itself.
        seats: brings the sockets of seats.
    """

    prepare: Prepare
    entrypoint: Entrypoint
    session_end: Entrypoint | None
    session_end_timeout: float
    channel: socket.socket
    log: socket.socket
    seats: socket.socket


def host_main(args: HostArgs) -> None:
    """Load, take seats until the worker says that it is enough or is gone, and wait for the calls."""
    # The worker says when it is time to go, by its channel.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, _dump_stack_traces)
    host = _Host(args)
    client = _ProcClient(args.channel, args.log, host.load, host.take_seats)
    client.initialize()
    client.run()
    host.wait_for_calls()


def _run_call(args: ThreadStartArgs) -> None:
    thread_main(args)
    # What a call leaves holds on to threads of the native library, each awake 100 times a second. This takes 10 ms, in
    # which the neighbours stand still; their audio is 400 ms ahead.
    gc.collect()


class _Host:
    def __init__(self, args: HostArgs) -> None:
        self._args = args
        self._calls: list[threading.Thread] = []

    def load(self, request: InitializeRequest, client: _ProcClient) -> None:
        """What is loaded once, before the first call."""
        from livekit.agents.ipc import _preload  # noqa: F401  # it loads by being imported

        self._client = client
        route_events()
        _resource({})  # it starts threads: not in the process that this one was forked from
        proxy = request.http_proxy or None
        self._args.prepare(JobProcess(executor_type=JobExecutorType.THREAD, user_arguments=None, http_proxy=proxy))

    async def take_seats(self, inbox: aio.ChanReceiver[Message]) -> None:
        """Open seats until the worker wants no more."""
        loop = asyncio.get_running_loop()
        self._args.seats.setblocking(False)
        loop.add_reader(self._args.seats, self._take_seat)
        try:
            async for message in inbox:
                if isinstance(message, ShutdownRequest):
                    await self._client.send(ShutdownRequestAck())
                    await self._client.send(ShuttingDown())
                    return
        finally:
            loop.remove_reader(self._args.seats)

    def _take_seat(self) -> None:
        data, descriptors, _, _ = socket.recv_fds(self._args.seats, 1, 1)
        if not data:  # the worker is gone, which the other channel tells, too
            asyncio.get_running_loop().remove_reader(self._args.seats)
            return
        self._calls = [call for call in self._calls if call.is_alive()]
        for descriptor in descriptors:
            seat = socket.socket(fileno=descriptor)
            call = threading.Thread(target=_run_call, args=(self._call_args(seat),), name="call", daemon=True)
            call.start()
            self._calls.append(call)

    def _call_args(self, seat: socket.socket) -> ThreadStartArgs:
        return ThreadStartArgs(
            initialize_process_fnc=self._args.prepare,
            job_entrypoint_fnc=self._args.entrypoint,
            session_end_fnc=self._args.session_end,
            session_end_timeout=self._args.session_end_timeout,
            join_fnc=seat.close,  # by which the worker learns that the call is over, however it ended
            mp_cch=seat,
            user_arguments=None,
        )

    def wait_for_calls(self) -> None:
        """Until the last call is over."""
        for call in self._calls:
            call.join(CALLS_END_S)
