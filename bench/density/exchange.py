"""What measurements with callers have in common: servers, callers, cores, workers that are started one at a time."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil
from rich.console import Console

from agent.job import DEFAULT_GREETING
from bench.density.caller_program import calling, find_caller
from bench.density.calls import Line, line_to
from bench.density.cores import Cores, divide, running_on
from bench.density.script import Script
from bench.latency.contenders import ours, stock
from bench.latency.servers import BenchError, LiveKit, livekit_server, stub_server
from bench.machine import describe_machine

# A load average from which on the figures are of something else than the contenders.
BUSY = 1.0


def prepare(console: Console) -> tuple[Cores, dict[str, Any]]:
    """The cores, and the machine as it is before; says what makes the figures worse than they could be.

    Raises:
        BenchError: this is not Linux.
    """
    if not sys.platform.startswith("linux"):
        raise BenchError("memory and cores are read from /proc: this measurement needs Linux")
    machine = describe_machine()
    if machine["load"] > BUSY:
        console.print(f"this machine is busy already (load {machine['load']}): fewer calls will fit than could")
    cores = divide(os.sched_getaffinity(0))
    if not cores.apart:
        console.print("there is one core only: the worker shares it with livekit-server and the callers")
    return cores, machine


@dataclass(frozen=True)
class Exchange:
    """Running servers, and what callers need; made by `exchange`."""

    folder: Path
    livekit: LiveKit
    models_url: str
    program: Path
    scripts: Mapping[str, Script]
    cores: Cores

    @asynccontextmanager
    async def visit(self, who: str, told: Mapping[str, str] = MappingProxyType({})) -> AsyncIterator[Line]:
        """A worker that has just started, alone on its core, and callers of its own.

        Args:
            who: "ours" or "stock".
            told: what else is in its environment.
        """
        folder = Path(tempfile.mkdtemp(prefix=f"{who}-", dir=self.folder))
        async with AsyncExitStack() as exits:
            with running_on(self.cores.worker):
                if who == "ours":
                    made = ours(self.livekit, self.models_url, folder, told)
                else:
                    made = stock(self.livekit, self.models_url, folder, DEFAULT_GREETING, told)
                worker = await exits.enter_async_context(made)
            caller = await exits.enter_async_context(calling(self.program, self.livekit.url, self.scripts, folder))
            line = await exits.enter_async_context(line_to(worker, self.livekit, caller))
            try:
                yield line
            except psutil.NoSuchProcess:
                said = (folder / f"{who}.log").read_text(errors="replace")[-2000:]
                raise BenchError(f"the worker ({who}) has ended in the middle of a measurement:\n{said}") from None


@asynccontextmanager
async def exchange(
    console: Console, cores: Cores, write_scripts: Callable[[Path], Mapping[str, Script]]
) -> AsyncIterator[Exchange]:
    """Start the servers; to be entered while this program runs on `cores.others`.

    Args:
        console: for what takes time.
        cores: who runs where.
        write_scripts: writes what callers can say into a folder.

    Raises:
        StartError: livekit-server or the caller cannot be built.
        BenchError: a server did not start.
    """
    program = await find_caller(console)
    async with AsyncExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        livekit = await exits.enter_async_context(livekit_server(folder, console))
        models = await exits.enter_async_context(stub_server(folder))
        scripts = await asyncio.to_thread(write_scripts, folder)
        yield Exchange(folder, livekit, models, program, scripts, cores)
