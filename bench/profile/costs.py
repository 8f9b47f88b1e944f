"""From the CPU of threads and the stacks of Python's to what a call costs by stage; pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.profile.stacks import Stack
from bench.profile.stages import OTHER, WORKER, stage_of_native, stage_of_stack, waits
from bench.profile.threads import ThreadId, ThreadTime, Times, processes_with_calls


@dataclass(frozen=True)
class Window:
    """A stretch of time in which a worker was watched.

    Attributes:
        seconds: how long.
        used: what each thread of the worker and its descendants used in it.
    """

    seconds: float
    used: Times

    @property
    def cores(self) -> float:
        """Of all threads."""
        return sum(time.cpu_s for time in self.used.values()) / self.seconds

    def cores_of(self, process: int) -> float:
        """Of the threads of one process."""
        return sum(time.cpu_s for key, time in self.used.items() if key.process == process) / self.seconds


def cores_by_stage(main: int, idle: Window, busy: Window, stacks: Iterable[Stack], calls: int) -> dict[str, float]:
    """Cores that a call takes, by stage.

    The processes that are in a room count in full: one without a call is not in a room. Of the main process counts what
    the calls add to it.

    Args:
        main: the worker's main process.
        idle: the worker without calls.
        busy: the worker with them.
        stacks: what its Python threads did meanwhile.
        calls: how many.
    """
    seen = _by_thread(stacks)
    stages: defaultdict[str, float] = defaultdict(float)
    stages[WORKER] = busy.cores_of(main) - idle.cores_of(main)
    rooms = processes_with_calls(busy.used) - {main}
    for key, time in busy.used.items():
        if key.process in rooms:
            for stage, share in _stages_of(key, busy.used, seen.get(key.thread, ())).items():
                stages[stage] += share * time.cpu_s / busy.seconds
    return {stage: cores / calls for stage, cores in stages.items()}


def _stages_of(key: ThreadId, used: Times, stacks: Sequence[Stack]) -> Mapping[str, float]:
    """What part of a thread's time goes into which stage."""
    # Python leaves its threads the name of the program, which that of the process's first thread is.
    program = used.get(ThreadId(key.process, key.process))
    if program is None or used[key].name != program.name:
        return {stage_of_native(used[key].name): 1.0}
    return shares(stacks, used[key]) or {OTHER: 1.0}


def shares(stacks: Iterable[Stack], time: ThreadTime) -> dict[str, float]:
    """What part of its time a Python thread spends in which stage; nothing where it was never seen.

    A thread is seen while it runs, and while it waits for its core. It mostly waits where it has just been woken, so
    as much of what was seen there is left out as the kernel says that it waited.
    """
    counts: defaultdict[str, float] = defaultdict(float)
    asleep: defaultdict[str, float] = defaultdict(float)
    for stack in stacks:
        (asleep if waits(stack) else counts)[stage_of_stack(stack)] += stack.count
    seen, waking = sum(counts.values()) + sum(asleep.values()), sum(asleep.values())
    if not seen:
        return {}
    queued = seen * time.queued_s / max(time.queued_s + time.cpu_s, 1e-9)
    kept = max(0.0, waking - queued) / waking if waking and len(counts) else 1.0
    for stage, count in asleep.items():
        counts[stage] += count * kept
    whole = sum(counts.values())
    return {stage: count / whole for stage, count in counts.items()}


def _by_thread(stacks: Iterable[Stack]) -> dict[int, list[Stack]]:
    found: defaultdict[int, list[Stack]] = defaultdict(list)
    for stack in stacks:
        found[stack.thread].append(stack)
    return found
