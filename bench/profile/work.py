"""What threads of a metered process have worked at, as its meter tells it."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.latency.servers import BenchError

PATIENCE_S = 10.0
# "AudioStream._run (livekit/rtc/audio_stream.py)"
_FRAME = re.compile(r"(.*) \((.*)\)")


@dataclass(frozen=True)
class Frame:
    """A function, and its file from where it was imported on; a module where it is not written in Python."""

    function: str
    file: str

    @classmethod
    def parse(cls, text: str) -> "Frame":
        """The inverse of `str`."""
        found = _FRAME.fullmatch(text)
        return cls(text, "") if found is None else cls(found[1], found[2])

    def __str__(self) -> str:
        return f"{self.function} ({self.file})"


@dataclass(frozen=True)
class Spent:
    """Seconds of CPU, and for how many callbacks."""

    cpu_s: float = 0.0
    times: int = 0


Frames = tuple[Frame, ...]


@dataclass(frozen=True)
class ThreadWork:
    """What a thread has worked at.

    Attributes:
        name: what Python calls it.
        work: by what ran, from the outermost coroutine to the innermost.
        metering_s: what metering it took.
    """

    name: str
    work: Mapping[Frames, Spent] = field(default_factory=dict)
    metering_s: float = 0.0


def parse_snapshot(told: Mapping[str, Any]) -> dict[int, ThreadWork]:
    """Each thread's work, by its number in the system."""
    found = {}
    for thread in told["threads"]:
        work = {tuple(Frame.parse(text) for text in row[0]): Spent(row[1] / 1e9, row[2]) for row in thread["work"]}
        times = sum(spent.times for spent in work.values())
        found[thread["thread"]] = ThreadWork(thread["name"], work, times * told["metering_ns"] / 1e9)
    return found


def worked_between(before: Mapping[int, ThreadWork], after: Mapping[int, ThreadWork]) -> dict[int, ThreadWork]:
    """From one look to the next."""
    return {number: _minus(work, before.get(number, ThreadWork(work.name))) for number, work in after.items()}


async def work_of(sockets: Path, processes: Sequence[int]) -> dict[int, ThreadWork]:
    """What the threads of these processes have worked at so far.

    Raises:
        BenchError: one of them is not metered.
    """
    found: dict[int, ThreadWork] = {}
    for process in processes:
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_unix_connection(sockets / str(process))
                told = await reader.read()
        except (OSError, TimeoutError) as error:
            raise BenchError(f"process {process} does not tell what it works at: {type(error).__name__}") from None
        writer.close()
        found |= parse_snapshot(json.loads(told))
    return found


def _minus(later: ThreadWork, earlier: ThreadWork) -> ThreadWork:
    work = {}
    for frames, spent in later.work.items():
        then = earlier.work.get(frames, Spent())
        if spent.times > then.times:
            work[frames] = Spent(spent.cpu_s - then.cpu_s, spent.times - then.times)
    return ThreadWork(later.name, work, later.metering_s - earlier.metering_s)
