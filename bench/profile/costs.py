"""From the CPU of threads and what Python's worked at to what a call costs by stage; pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from bench.profile.stages import LOOP, WORKER, stage_of_native, stage_of_thread, stage_of_work
from bench.profile.threads import ThreadId, Times, processes_with_calls
from bench.profile.work import Spent, ThreadWork


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


@dataclass(frozen=True)
class Cost:
    """What a stage takes, of a call.

    Attributes:
        cores: seconds of CPU a second.
        times: callbacks a second; 0 where it is not done by callbacks.
    """

    cores: float = 0.0
    times: float = 0.0


def cost_by_stage(
    main: int, idle: Window, busy: Window, worked: Mapping[int, ThreadWork], calls: int
) -> dict[str, Cost]:
    """What a call takes, by stage.

    The processes that are in a room count in full: one without a call is not in a room. Of the main process counts what
    the calls add to it.

    Args:
        main: the worker's main process.
        idle: the worker without calls.
        busy: the worker with them.
        worked: what its Python threads worked at meanwhile.
        calls: how many.
    """
    sums: defaultdict[str, Cost] = defaultdict(Cost)
    rooms = processes_with_calls(busy.used) - {main}
    for key, time in busy.used.items():
        if key.process in rooms:
            for stage, spent in _stages_of(key, busy.used, worked.get(key.thread), time.cpu_s).items():
                sums[stage] = Cost(sums[stage].cores + spent.cpu_s, sums[stage].times + spent.times)
    share = busy.seconds * calls
    found = {stage: Cost(cost.cores / share, cost.times / share) for stage, cost in sums.items()}
    return {**found, WORKER: Cost((busy.cores_of(main) - idle.cores_of(main)) / calls)}


def _stages_of(key: ThreadId, used: Times, work: ThreadWork | None, cpu_s: float) -> dict[str, Spent]:
    """What part of a thread's time goes into which stage."""
    # Python leaves its threads the name of the program, which that of the process's first thread is.
    program = used.get(ThreadId(key.process, key.process))
    if program is None or used[key].name != program.name:
        return {stage_of_native(used[key].name): Spent(cpu_s)}
    if work is None:
        return {LOOP: Spent(cpu_s)}
    return share_out(work, cpu_s)


def share_out(work: ThreadWork, cpu_s: float) -> dict[str, Spent]:
    """A Python thread's time by stage: that of its callbacks, and the rest, in which it wakes, looks around and sleeps.

    Args:
        work: its callbacks.
        cpu_s: all that it used; what metering took of it is nobody's.
    """
    whole = stage_of_thread(work.name)
    if whole is not None:
        return {whole: Spent(max(0.0, cpu_s - work.metering_s), sum(spent.times for spent in work.work.values()))}
    sums: defaultdict[str, Spent] = defaultdict(Spent)
    for frames, spent in work.work.items():
        stage = stage_of_work(frames)
        sums[stage] = Spent(sums[stage].cpu_s + spent.cpu_s, sums[stage].times + spent.times)
    known = sum(spent.cpu_s for spent in sums.values()) + work.metering_s
    sums[LOOP] = Spent(sums[LOOP].cpu_s + max(0.0, cpu_s - known), sums[LOOP].times)
    return dict(sums)
