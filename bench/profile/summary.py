"""From what was measured to the last line of `--json`; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.density.summary import CONTENDERS
from bench.profile.costs import Window, cost_by_stage
from bench.profile.memory import Part, total
from bench.profile.work import ThreadWork


@dataclass(frozen=True)
class Profile:
    """What was measured of one worker.

    Attributes:
        contender: whose.
        main: its main process.
        idle: without calls.
        busy: with them.
        worked: what its Python threads worked at meanwhile.
        idle_memory: of all its processes without calls, by kind.
        busy_memory: of all its processes with them.
    """

    contender: str
    main: int
    idle: Window
    busy: Window
    worked: Mapping[int, ThreadWork]
    idle_memory: Mapping[str, Part]
    busy_memory: Mapping[str, Part]


def results(profiles: Sequence[Profile], calls: int, seconds: float, machine: dict[str, Any]) -> dict[str, Any]:
    """The object of the last line of `--json`."""
    of = {profile.contender: _contender(profile, calls) for profile in profiles}
    return {**{who: of[who] for who in CONTENDERS}, "calls": calls, "seconds": seconds, "machine": machine}


def _contender(profile: Profile, calls: int) -> dict[str, Any]:
    costs = cost_by_stage(profile.main, profile.idle, profile.busy, profile.worked, calls)
    falling = sorted(costs.items(), key=lambda item: -item[1].cores)
    return {
        "cpu_per_call": round(sum(cost.cores for cost in costs.values()), 4),
        "idle_cores": round(profile.idle.cores, 4),
        "stages": {stage: {"cores": round(cost.cores, 5), "times": round(cost.times, 1)} for stage, cost in falling},
        "pss_mb_per_call": round((total(profile.busy_memory) - total(profile.idle_memory)) / calls, 1),
        "idle_pss_mb": round(total(profile.idle_memory), 1),
        "memory": {kind: _added(kind, profile, calls) for kind in profile.busy_memory},
    }


def _added(kind: str, profile: Profile, calls: int) -> dict[str, float]:
    """What a call adds to one kind of memory."""
    before, after = profile.idle_memory.get(kind, Part()), profile.busy_memory[kind]
    return {
        "private": round((after.private - before.private) / calls, 1),
        "shared": round((after.shared - before.shared) / calls, 1),
    }
