"""How busy the CPU is, and how much of that is the worker's own processes."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

import psutil
from livekit.agents.utils.hw import get_cpu_monitor

from agent.worker.admission import WINDOW_S

EVERY_S = 0.5


class LoadMeter:
    """Measures the container's share of the CPU (cgroup), or the machine's where there is none, twice a second.

    Args:
        measured: called after each look with the mean of the last `WINDOW_S` seconds, 0 to 1.
        used: called after each window with the share of the CPU that the worker's processes used in it.
        wanted: whether that is wanted of the window that begins: it takes a look at each process of the machine.
    """

    def __init__(
        self,
        measured: Callable[[float], None],
        used: Callable[[float], None],
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._measured = measured
        self._used = used
        self._wanted = wanted
        self._monitor = get_cpu_monitor()
        self._latest: deque[float] = deque(maxlen=round(WINDOW_S / EVERY_S))

    @property
    def cores(self) -> float:
        """How many cores there are for the worker; a container may have a part of one."""
        return self._monitor.cpu_count()

    async def run(self) -> None:
        """Measure until cancelled."""
        after: dict[psutil.Process, float] | None = None
        while True:
            # The end of a window is the beginning of the next.
            begun, before, wanted = time.monotonic(), after, self._wanted()
            if before is None and wanted:
                before = await asyncio.to_thread(_cpu_seconds_of_children)
            for _ in range(round(WINDOW_S / EVERY_S)):
                self._latest.append(await asyncio.to_thread(self._monitor.cpu_percent, EVERY_S))
                self._measured(sum(self._latest) / len(self._latest))
            if before is None or not wanted:
                after = None
                continue
            after = await asyncio.to_thread(_cpu_seconds_of_children)
            # Of those that were there all the time: who came was loading, who went is on nobody's account.
            seconds = sum(after[process] - before[process] for process in before.keys() & after.keys())
            self._used(seconds / (time.monotonic() - begun) / self.cores)


def _cpu_seconds_of_children() -> dict[psutil.Process, float]:
    """The CPU seconds that each process below this one has used."""
    used = {}
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used[child] = times.user + times.system
    return used
