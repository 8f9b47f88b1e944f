"""CPU of every thread of a tree of processes, from /proc (Linux)."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.density.processes import tree

_TICKS = os.sysconf("SC_CLK_TCK")
# WebRTC starts this thread with the first room of a process: by it a process with a call is told from one that waits.
CALL_THREAD = "network_thread"


@dataclass(frozen=True, order=True)
class ThreadId:
    """One thread of one process."""

    process: int
    thread: int


@dataclass(frozen=True)
class ThreadTime:
    """What a thread has used until now, or in a stretch of time.

    Attributes:
        name: what the kernel calls it, 15 characters at most; Python's own threads are called as the program.
        cpu_s: seconds of CPU, user and system.
    """

    name: str
    cpu_s: float


Times = Mapping[ThreadId, ThreadTime]


def parse_stat(text: str) -> ThreadTime:
    """What the text of /proc/PID/task/TID/stat says.

    Raises:
        ValueError: it is something else.
    """
    before, found, after = text.rpartition(")")  # a name may hold blanks and parentheses
    _, opened, name = before.partition("(")
    fields = after.split()
    if not found or not opened or len(fields) < 13:
        raise ValueError("not the text of a thread's stat")
    return ThreadTime(name, (int(fields[11]) + int(fields[12])) / _TICKS)


def thread_times(pid: int) -> dict[ThreadId, ThreadTime]:
    """Of all threads of the process and its descendants.

    Raises:
        psutil.NoSuchProcess: the process itself has ended.
    """
    found = {}
    for process in tree(pid):
        tasks = Path("/proc") / str(process.pid) / "task"
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for thread in os.listdir(tasks):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    key = ThreadId(process.pid, int(thread))
                    found[key] = parse_stat((tasks / thread / "stat").read_text())
    return found


def used_between(before: Times, after: Times) -> dict[ThreadId, ThreadTime]:
    """What each thread used from one look to the next; one that ended in between is left out.

    A thread gets its name some time after its start, so it is called as at the second look.
    """
    unborn = ThreadTime("", 0.0)
    return {
        key: ThreadTime(time.name, time.cpu_s - earlier.cpu_s)
        for key, time in after.items()
        for earlier in [before.get(key, unborn)]
    }


def processes_with_calls(times: Times) -> set[int]:
    """The processes that are in a room."""
    return {key.process for key, time in times.items() if time.name.startswith(CALL_THREAD)}
