"""From what was measured to the last line of `--json`; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.density.summary import CONTENDERS
from bench.profile.costs import Window, cores_by_stage
from bench.profile.memory import Part
from bench.profile.stacks import Stack


@dataclass(frozen=True)
class Profile:
    """What was measured of one worker.

    Attributes:
        contender: whose.
        main: its main process.
        idle: without calls.
        busy: with them.
        stacks: what its Python threads did meanwhile.
        memory: of the processes that are in rooms, by kind.
    """

    contender: str
    main: int
    idle: Window
    busy: Window
    stacks: Sequence[Stack]
    memory: Mapping[str, Part]


def results(profiles: Sequence[Profile], calls: int, seconds: float, machine: dict[str, Any]) -> dict[str, Any]:
    """The object of the last line of `--json`."""
    of = {profile.contender: _contender(profile, calls) for profile in profiles}
    return {**{who: of[who] for who in CONTENDERS}, "calls": calls, "seconds": seconds, "machine": machine}


def _contender(profile: Profile, calls: int) -> dict[str, Any]:
    stages = cores_by_stage(profile.main, profile.idle, profile.busy, profile.stacks, calls)
    falling = sorted(stages.items(), key=lambda item: -item[1])
    parts = profile.memory.items()
    return {
        "cpu_per_call": round(sum(stages.values()), 4),
        "idle_cores": round(profile.idle.cores, 4),
        "stages": {stage: round(cores, 5) for stage, cores in falling},
        "samples": sum(stack.count for stack in profile.stacks),
        "memory_mb_per_call": round(sum(part.private + part.shared for _, part in parts) / calls, 1),
        "memory": {
            name: {"private": round(part.private / calls, 1), "shared": round(part.shared / calls, 1)}
            for name, part in parts
        },
    }
