"""From the dispatch to the first audible word of the greeting: one call after the other, and many at once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bench.density.calls import Line
from bench.density.step import until_calm


@dataclass(frozen=True)
class FirstWords:
    """Milliseconds from `create_dispatch` to the first audible packet.

    Attributes:
        contender: whose.
        warm_ms: of calls that came one after the other to a worker with a loaded process, the very first one left out.
        burst_ms: of calls that were dispatched at once, the earliest first.
    """

    contender: str
    warm_ms: tuple[float, ...]
    burst_ms: tuple[float, ...]


async def measure_first_words(
    line: Line, script: str, count: int, burst: int, progress: Callable[[str], None]
) -> FirstWords:
    """Time greetings; the callers are in their rooms before the agent is sent there.

    Args:
        line: to the worker.
        script: of the callers, who send its room tone.
        count: how many one after the other.
        burst: how many at once.
        progress: told what is done.

    Raises:
        BenchError: somebody is not greeted.
    """
    processes = await until_calm(line)
    warm = []
    for number in range(count + 1):
        progress(f"greeting {number} of {count}")
        call = await line.join(script, 0)
        await until_calm(line, processes)
        warm.append(await line.dispatch(call))
        await line.hang_up([call])
    progress(f"{burst} calls at once")
    calls = [await line.join(script, 0) for _ in range(burst)]
    await until_calm(line, processes)
    at_once = await asyncio.gather(*map(line.dispatch, calls))
    await line.hang_up(calls)
    in_ms = [round(seconds * 1000, 1) for seconds in warm[1:]]
    return FirstWords(line.worker.name, tuple(in_ms), tuple(sorted(round(s * 1000, 1) for s in at_once)))
