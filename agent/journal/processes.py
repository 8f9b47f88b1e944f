"""Which process is meant, and whether it still runs: a number alone may have been given to another one since."""

import functools
import os
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

# The clock that a start is read from ticks a hundred times a second.
TOLERANCE_S = 0.05
# Linux: a new one at each start of the machine.
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
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
        process = psutil.Process()
        return cls(process.pid, _started(process))

    def is_alive(self) -> bool:
        """Whether it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(_started(process) - self.started) <= TOLERANCE_S
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


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


def _started(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()
