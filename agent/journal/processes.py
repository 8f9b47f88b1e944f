"""Which process is meant, and whether it still runs: a number alone may have been given to another one since."""

import functools
import os
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import psutil

# The clock that a start is read from ticks a hundred times a second.
TOLERANCE_S = 0.05
# Linux: a new one at each start of the machine.
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PROC = "/proc"
HAS_PROC = Path(PROC, "self", "stat").exists()
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PID_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of this machine.

    Attributes:
        pid: its number.
        started: when it began, in seconds since the machine did: the time of day may be set meanwhile.
    """

    pid: int
    started: float

    @classmethod
    def current(cls) -> Self:
        """This process."""
        pid = os.getpid()
        return cls(pid, _look_at(pid).started)

    def is_alive(self) -> bool:
        """Whether it still runs."""
        try:
            seen = _look_at(self.pid)
        except ProcessLookupError:
            return False
        return seen.runs and abs(seen.started - self.started) <= TOLERANCE_S


@functools.cache
def this_host() -> str:
    """Where process numbers mean what they mean here: this machine since its start, or this container.

    Not the name alone: machines that are copies of each other share it, and so do containers of one host's network.
    """
    try:
        machine, namespace = BOOT_ID.read_text().strip(), os.readlink(PID_NAMESPACE)
    except OSError:  # not Linux
        return f"{socket.gethostname()}/{uuid.getnode():x}"
    return f"{socket.gethostname()}/{machine}/{namespace}"


class _Seen(NamedTuple):
    """What the machine says of a process: when it began (seconds since the machine did), and whether it still runs."""

    started: float
    runs: bool


def _look_at(pid: int) -> _Seen:
    """One look, as cheap as can be: the worker looks at each call ten times a second.

    Raises:
        ProcessLookupError: there is no such process.
    """
    if not HAS_PROC:
        return _look_elsewhere(pid)
    try:
        with open(f"{PROC}/{pid}/stat", "rb", buffering=0) as file:
            stat = file.read()
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
    fields = stat[stat.rindex(b")") + 2 :].split()  # what comes before is the program's name, with whatever is in it
    return _Seen(int(fields[19]) / TICKS_A_SECOND, fields[0] not in (b"Z", b"X"))


def _look_elsewhere(pid: int) -> _Seen:
    """The same where it is not Linux."""
    try:
        process = psutil.Process(pid)
        started = process.create_time() - psutil.boot_time()
        return _Seen(started, process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess as error:
        raise ProcessLookupError(pid) from error
