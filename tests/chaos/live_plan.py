"""What goes wrong in a run under live calls, and when: the same for the same seed. Pure."""

import random
from dataclasses import dataclass
from enum import StrEnum

SHORTEST_PAUSE_S = 12.0
LONGEST_PAUSE_S = 24.0
LONGEST_OUTAGE_S = 4.0


class Victim(StrEnum):
    """What is killed."""

    JOB = "the process of a call"
    WORKER = "a worker with all its processes"
    LIVEKIT = "livekit-server"


WEIGHTS = {Victim.JOB: 6, Victim.WORKER: 3, Victim.LIVEKIT: 2}


@dataclass(frozen=True)
class Blow:
    """One fault.

    Args:
        at: seconds since the run began.
        victim: what is killed.
        choice: which of those that live then, from 0 to 1.
        outage: seconds until it is started again, where nobody else does so.
    """

    at: float
    victim: Victim
    choice: float
    outage: float


def make_blows(seed: int, seconds: float) -> tuple[Blow, ...]:
    """The faults of a run that lasts so many seconds."""
    chance = random.Random(seed)
    blows: list[Blow] = []
    at = chance.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)
    while at < seconds:
        (victim,) = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
        blows.append(Blow(at, victim, chance.random(), chance.uniform(0.0, LONGEST_OUTAGE_S)))
        at += chance.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)
    return tuple(blows)
