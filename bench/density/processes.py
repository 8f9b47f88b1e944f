"""What a process and all that it started have used, from /proc (Linux)."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Usage:
    """What a tree of processes has used until now.

    Attributes:
        cpu_s: seconds of CPU, with those of processes that have ended.
        pss_mb: proportional set size now, in MiB: memory that several share counts in parts.
        processes: how many there are now.
    """

    cpu_s: float
    pss_mb: float
    processes: int


def usage(pid: int) -> Usage:
    """What the process and its descendants have used.

    A process that ended and was waited for is in the times of its parent, so nothing is lost between two looks.

    Raises:
        psutil.NoSuchProcess: the process itself has ended.
    """
    cpu = pss = 0.0
    count = 0
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            times = process.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            pss += pss_of((Path("/proc") / str(process.pid) / "smaps_rollup").read_text())
            count += 1
    return Usage(cpu, pss, count)


def cpu_seconds(pid: int) -> float:
    """The CPU alone, which costs less to ask."""
    total = 0.0
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def tree(pid: int) -> Iterator[psutil.Process]:
    """The process and all its descendants."""
    parent = psutil.Process(pid)
    yield parent
    yield from parent.children(recursive=True)


def pss_of(rollup: str) -> float:
    """MiB from the text of /proc/PID/smaps_rollup.

    Raises:
        ValueError: the text does not say it.
    """
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError("smaps_rollup says no Pss")
