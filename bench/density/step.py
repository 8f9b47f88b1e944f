"""One number of calls with one worker: greeted one after the other, then all talk for a while, and what that took."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from bench.density.calls import Line, Overloaded
from bench.density.processes import Usage, cpu_seconds, tree, usage
from bench.density.turns import Turn, turns_of
from bench.latency.servers import BenchError

# A worker is calm when it has used less than this share of a core for a second.
CALM_CORES = 0.08
CALM_S = 60.0
IDLE_S = 8.0
LOOK_EVERY_S = 5.0


@dataclass(frozen=True)
class Load:
    """What a worker used for a time.

    Attributes:
        cores: CPU seconds a second.
        pss_mb: proportional set size in MiB, the mean of some looks.
        processes: how many, the most at a look.
    """

    cores: float
    pss_mb: float
    processes: int


@dataclass(frozen=True)
class Step:
    """One number of calls.

    Attributes:
        contender: whose.
        calls: how many.
        idle: before the calls.
        busy: during the calls.
        turns: what the callers said and heard in the measured time.
        caller_cores: what the caller's program used.
    """

    contender: str
    calls: int
    idle: Load
    busy: Load
    turns: tuple[Turn, ...]
    caller_cores: float

    @property
    def cpu_per_call(self) -> float:
        """Cores: what a call adds to the idle worker."""
        return (self.busy.cores - self.idle.cores) / self.calls

    @property
    def pss_mb_per_call(self) -> float:
        """MiB: what a call adds to the idle worker."""
        return (self.busy.pss_mb - self.idle.pss_mb) / self.calls

    def to_json(self) -> dict[str, Any]:
        """The members by name."""
        return {
            "contender": self.contender,
            "calls": self.calls,
            "idle": asdict(self.idle),
            "busy": asdict(self.busy),
            "turns": [turn.to_row() for turn in self.turns],
            "caller_cores": round(self.caller_cores, 4),
        }


async def until_calm(line: Line, most: int | None = None) -> int:
    """Wait until the worker does nothing: its next process is loaded, the last call's is gone.

    Args:
        line: to the worker.
        most: how many processes it has without a call, once that is known.

    Returns:
        How many processes there are then.

    Raises:
        BenchError: it is busy without a call.
    """
    pid = line.worker.pid
    try:
        async with asyncio.timeout(CALM_S):
            before, at = cpu_seconds(pid), time.monotonic()
            while True:
                await asyncio.sleep(1.0)
                now, then = cpu_seconds(pid), time.monotonic()
                count = sum(1 for _ in tree(pid))
                if (now - before) / (then - at) < CALM_CORES and (most is None or count <= most):
                    return count
                before, at = now, then
    except TimeoutError:
        raise BenchError(f"{line.worker.name} is busy without a call for {CALM_S:.0f} s") from None


async def measure_step(
    line: Line, script: str, calls: int, seconds: float, spread: float, progress: Callable[[str], None]
) -> Step:
    """Measure one number of calls.

    Args:
        line: to the worker.
        script: what the callers say.
        calls: how many at once.
        seconds: for how long.
        spread: the callers begin to talk evenly spread over so many seconds, and what comes in as many more does not
            count, as connections are made then and caches filled.
        progress: told what is done.

    Raises:
        Overloaded: the worker cannot even begin so many calls.
        BenchError: a call was lost, or the worker is never calm.
    """
    progress("idle")
    await settle(line, script)
    idle = await _load(line, IDLE_S)
    names = await begin_calls(line, script, calls, spread, progress)
    progress(f"{calls} calls are measured for {seconds:.0f} s")
    since, before = time.monotonic(), cpu_seconds(line.caller.pid)
    busy = await _load(line, seconds)
    until = time.monotonic()
    caller_cores = (cpu_seconds(line.caller.pid) - before) / (until - since)
    turns = tuple(turn for turn in turns_of(line.caller.events) if turn.call in names and since <= turn.ended < until)
    await line.hang_up(names)
    return Step(line.worker.name, calls, idle, busy, turns, caller_cores)


async def settle(line: Line, script: str) -> None:
    """Make the worker one that has had a call and is calm again.

    Raises:
        BenchError: it is busy without a call, or the call was lost.
    """
    processes = await until_calm(line)
    await _warm_up(line, script)
    await until_calm(line, processes)


async def begin_calls(line: Line, script: str, calls: int, spread: float, progress: Callable[[str], None]) -> list[str]:
    """Begin calls one after the other, and let all talk for a while; the worker is `settle`d before.

    Args:
        line: to the worker.
        script: what the callers say.
        calls: how many at once.
        spread: see `measure_step`.
        progress: told what is done.

    Returns:
        The names of the calls.

    Raises:
        Overloaded: the worker cannot even begin so many calls.
        BenchError: a call was lost.
    """
    processes = sum(1 for _ in tree(line.worker.pid))
    names = []
    for number in range(calls):
        progress(f"call {number + 1} of {calls} begins")
        names.append(await line.join(script, number))
        await line.dispatch(names[-1])
    # One more call has its place in a loaded process, as before the calls.
    places = line.worker.calls_per_process
    await _until_processes(line, processes - 1 + math.ceil((calls + 1) / places))
    for name in names:
        await line.until_greeted(name)
    for name in names:
        line.talk(name)
        await asyncio.sleep(spread / calls)
    await asyncio.sleep(spread)
    return names


async def _warm_up(line: Line, script: str) -> None:
    """A call with its greeting, so that files are in memory and the worker has had its first job."""
    call = await line.join(script, 0)
    await line.dispatch(call)
    await line.hang_up([call])


async def _load(line: Line, seconds: float) -> Load:
    pid = line.worker.pid
    looks: list[Usage] = [usage(pid)]
    since = until = time.monotonic()
    cpu = cpu_seconds(pid)
    while until < since + seconds:
        await asyncio.sleep(min(LOOK_EVERY_S, since + seconds - until))
        until = time.monotonic()
        looks.append(usage(pid))
        line.caller.check()
    used = cpu_seconds(pid) - cpu
    return Load(
        cores=used / (time.monotonic() - since),
        pss_mb=sum(look.pss_mb for look in looks) / len(looks),
        processes=max(look.processes for look in looks),
    )


async def _until_processes(line: Line, wanted: int) -> None:
    try:
        async with asyncio.timeout(CALM_S):
            while True:
                if sum(1 for _ in tree(line.worker.pid)) >= wanted:
                    return
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise Overloaded(f"{line.worker.name} has not loaded a process for the next call in {CALM_S:.0f} s") from None
