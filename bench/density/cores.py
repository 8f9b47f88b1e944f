"""Which cores the worker runs on, and which everything else does, so that the load does not eat what it measures."""

import os
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """Numbers of cores: the worker's, and those of livekit-server, models, callers and this program."""

    worker: frozenset[int]
    others: frozenset[int]

    @property
    def apart(self) -> bool:
        """Whether the worker has its core for itself."""
        return not self.worker & self.others


def divide(available: Set[int]) -> Cores:
    """One core for the worker, the last, and the others for the rest; a single one is shared."""
    last = max(available)
    return Cores(frozenset({last}), frozenset(available) - {last} or frozenset({last}))


@contextmanager
def running_on(cores: Set[int]) -> Iterator[None]:
    """What is started meanwhile runs on these cores, and so does all that it starts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
