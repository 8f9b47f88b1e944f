"""From the CPU of threads and the stacks of Python's to what a call costs by stage; pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.profile.stacks import Stack
from bench.profile.stages import OTHER, WORKER, stage_of_native, stage_of_stack
from bench.profile.threads import ThreadId, Times, processes_with_calls


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
    shares = _shares(stacks)
    stages: defaultdict[str, float] = defaultdict(float)
    stages[WORKER] = busy.cores_of(main) - idle.cores_of(main)
    rooms = processes_with_calls(busy.used) - {main}
    for key, time in busy.used.items():
        if key.process in rooms:
            for stage, share in _stages_of(key, busy.used, shares).items():
                stages[stage] += share * time.cpu_s / busy.seconds
    return {stage: cores / calls for stage, cores in stages.items()}


def _stages_of(key: ThreadId, used: Times, shares: Mapping[int, Mapping[str, float]]) -> Mapping[str, float]:
    """What part of a thread's time goes into which stage."""
    # Python leaves its threads the name of the program, which that of the process's first thread is.
    program = used.get(ThreadId(key.process, key.process))
    if program is None or used[key].name != program.name:
        return {stage_of_native(used[key].name): 1.0}
    return shares.get(key.thread, {OTHER: 1.0})


def _shares(stacks: Iterable[Stack]) -> dict[int, dict[str, float]]:
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for stack in stacks:
        counts[stack.thread][stage_of_stack(stack)] += stack.count
    return {
        thread: {stage: count / counted.total() for stage, count in counted.items()}
        for thread, counted in counts.items()
    }
