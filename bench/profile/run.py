"""`python -m bench profile`: a few calls with this agent and a stock worker in turn, and what their CPU goes into."""

import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status

from bench.density.calls import Line
from bench.density.cores import Cores, running_on
from bench.density.exchange import exchange, prepare
from bench.density.processes import tree
from bench.density.script import Script, write_script
from bench.density.step import IDLE_S, begin_calls, settle
from bench.density.summary import CONTENDERS
from bench.latency.servers import ROOT
from bench.machine import describe_machine
from bench.profile.chart import draw
from bench.profile.costs import Window
from bench.profile.memory import Part, memory_of
from bench.profile.meter import SOCKETS
from bench.profile.options import ProfileOptions
from bench.profile.report import memory_table, stage_table
from bench.profile.summary import Profile, results
from bench.profile.threads import processes_with_calls, thread_times, used_between
from bench.profile.work import ThreadWork, work_of, worked_between
from bench.results_file import read_results, write_results

TALKATIVE = "talkative"
# On its path, Python meters itself.
INSIDE = Path(__file__).parent / "inside"


async def run_profile(options: ProfileOptions, console: Console, write: Callable[[str], None]) -> None:
    """Measure, print tables, and write what is asked for.

    Args:
        options: what is asked for.
        console: for progress and tables.
        write: gets the line of JSON.

    Raises:
        BenchError: a process of the run did not start or has ended, or does not tell what it works at.
        StartError: livekit-server or the caller cannot be built.
        ValueError: the earlier results that were asked for are none.
    """
    if options.results is not None:
        found = await asyncio.to_thread(read_results, options.results, "profile", (*CONTENDERS, "seconds"))
        await asyncio.to_thread(_show, options, console, found)
        return
    cores, machine = prepare(console)
    with running_on(cores.others):
        profiles = await _measure(options, console, cores)
    machine["load_after"] = describe_machine()["load"]
    found = results(profiles, options.calls, options.seconds, machine)
    await asyncio.to_thread(_show, options, console, found)
    if options.out is not None:
        worked = {profile.contender: _rows(profile.worked) for profile in profiles}
        await asyncio.to_thread(write_results, options.out, found, {"worked": worked})
    if options.json_output:
        write(json.dumps(found))


async def _measure(options: ProfileOptions, console: Console, cores: Cores) -> list[Profile]:
    found = []

    def write_scripts(folder: Path) -> Mapping[str, Script]:
        return {TALKATIVE: write_script(folder / "talkative.ogg", options.every, options.seed)}

    async with exchange(console, cores, write_scripts) as shared:
        for who in random.Random(options.seed).sample(CONTENDERS, len(CONTENDERS)):
            with console.status(f"{who}: starts") as status:
                sockets = Path(tempfile.mkdtemp(prefix="meters-", dir=shared.folder))
                async with shared.visit(who, metered(sockets)) as line:
                    found.append(await _profile(options, line, sockets, partial(_say, status, who)))
    return found


def _say(status: Status, who: str, what: str) -> None:
    status.update(f"{who}: {what}")


async def _profile(options: ProfileOptions, line: Line, sockets: Path, progress: Callable[[str], None]) -> Profile:
    progress("idle")
    await settle(line, TALKATIVE)
    idle = await _watch(line, IDLE_S)
    idle_memory = await asyncio.to_thread(_memory, line)
    names = await begin_calls(line, TALKATIVE, options.calls, options.every, progress)
    progress(f"{options.calls} calls are watched for {options.seconds:.0f} s")
    pid = line.worker.pid
    rooms = sorted(processes_with_calls(thread_times(pid)) - {pid})
    before = await work_of(sockets, rooms)
    busy = await _watch(line, options.seconds)
    worked = worked_between(before, await work_of(sockets, rooms))
    busy_memory = await asyncio.to_thread(_memory, line)
    line.caller.check()
    await line.hang_up(names)
    return Profile(line.worker.name, pid, idle, busy, worked, idle_memory, busy_memory)


def metered(sockets: Path) -> dict[str, str]:
    """What a worker is told so that it and all that it starts are metered.

    Args:
        sockets: the folder where each process answers.
    """
    return {"PYTHONPATH": f"{INSIDE}{os.pathsep}{ROOT}", SOCKETS: str(sockets)}


def _rows(worked: Mapping[int, ThreadWork]) -> list[dict[str, Any]]:
    return [
        {"thread": work.name, "frames": [str(frame) for frame in frames], "cpu_s": spent.cpu_s, "times": spent.times}
        for work in worked.values()
        for frames, spent in work.work.items()
    ]


def _memory(line: Line) -> dict[str, Part]:
    return memory_of([process.pid for process in tree(line.worker.pid)])


async def _watch(line: Line, seconds: float) -> Window:
    """What the worker uses for a while."""
    before, since = thread_times(line.worker.pid), time.monotonic()
    await asyncio.sleep(seconds)
    after, until = thread_times(line.worker.pid), time.monotonic()
    return Window(until - since, used_between(before, after))


def _show(options: ProfileOptions, console: Console, found: dict[str, Any]) -> None:
    console.print(stage_table(found))
    console.print(memory_table(found))
    if options.chart is not None:
        options.chart.write_text(draw(found), encoding="utf-8")
