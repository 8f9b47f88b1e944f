"""`python -m bench density`: more and more calls, with this agent and a stock worker in turn, until they suffer."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from bench.density.calls import Line, Overloaded
from bench.density.chart import draw
from bench.density.cores import Cores, running_on
from bench.density.exchange import Exchange, exchange, prepare
from bench.density.first_word import FirstWords, measure_first_words
from bench.density.options import DensityOptions
from bench.density.report import burst_line, step_line, summary_table
from bench.density.script import Script, write_script
from bench.density.search import next_calls, went_well
from bench.density.step import Step, measure_step
from bench.density.summary import CONTENDERS, Measured, results
from bench.latency.servers import BenchError
from bench.machine import describe_machine
from bench.results_file import read_results, write_results

# A caller that is mostly silent says a sentence in so many seconds.
SILENT_EVERY_S = 60.0
SILENT_TURNS = 4
TALKATIVE, SILENT = "talkative", "silent"


@dataclass(frozen=True)
class _Bench:
    """What all measurements of a run share."""

    options: DensityOptions
    exchange: Exchange
    progress: Progress
    task: TaskID

    def say(self, who: str, what: str) -> None:
        """Show what is done now."""
        self.progress.update(self.task, description=f"{who}: {what}")

    @asynccontextmanager
    async def visit(self, who: str) -> AsyncIterator[Line]:
        """A worker that has just started, alone on its core, and callers of its own."""
        self.say(who, "starts")
        async with self.exchange.visit(who) as line:
            yield line


async def run_density(options: DensityOptions, console: Console, write: Callable[[str], None]) -> None:
    """Measure, print tables, and write what is asked for.

    Args:
        options: what is asked for.
        console: for progress and tables.
        write: gets the line of JSON.

    Raises:
        BenchError: a process of the run did not start or has ended, or a worker answers nobody.
        StartError: livekit-server or the caller cannot be built.
        ValueError: the earlier results that were asked for are none.
    """
    if options.results is not None:
        found = await asyncio.to_thread(read_results, options.results, "density", ("ours", "steps"))
        console.print(summary_table(found))
        await asyncio.to_thread(_save, options, found, ())
        return
    cores, machine = prepare(console)
    with running_on(cores.others):
        measured = await _measure(options, console, cores, machine)
    machine["load_after"] = describe_machine()["load"]
    found = results(measured)
    console.print(summary_table(found))
    await asyncio.to_thread(_save, options, found, (*measured.steps, *measured.silent))
    if options.json_output:
        write(json.dumps(found))


async def _measure(options: DensityOptions, console: Console, cores: Cores, machine: dict[str, Any]) -> Measured:
    async with AsyncExitStack() as exits:
        shared = await exits.enter_async_context(exchange(console, cores, lambda folder: _scripts(options, folder)))
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        progress = exits.enter_context(
            Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        )
        bench = _Bench(options, shared, progress, progress.add_task("starts", total=None))
        dice = random.Random(options.seed)
        words = await _first_words(bench, dice) if options.first_words else []
        steps, outcomes = await _steps(bench, dice)
        silent = await _silent(bench, dice) if options.silent_calls else []
    return Measured(steps, outcomes, silent, words, cores, machine)


def _scripts(options: DensityOptions, folder: Path) -> dict[str, Script]:
    return {
        TALKATIVE: write_script(folder / "talkative.ogg", options.every, options.seed),
        SILENT: write_script(folder / "silent.ogg", SILENT_EVERY_S, options.seed, SILENT_TURNS),
    }


async def _first_words(bench: _Bench, dice: random.Random) -> list[FirstWords]:
    options, found = bench.options, []
    for who in dice.sample(CONTENDERS, len(CONTENDERS)):
        async with bench.visit(who) as line:
            words = await measure_first_words(
                line, TALKATIVE, options.first_words, options.burst, partial(bench.say, who)
            )
        bench.progress.console.print(burst_line(words), soft_wrap=True)
        found.append(words)
    return found


async def _steps(bench: _Bench, dice: random.Random) -> tuple[list[Step], dict[str, dict[int, bool]]]:
    """Each number of calls with both, one after the other, until the limit of both is known; chance says who begins."""
    steps: list[Step] = []
    outcomes: dict[str, dict[int, bool]] = {who: {} for who in CONTENDERS}
    ladder, refine = bench.options.calls, bench.options.refine
    while any(next_calls(ladder, tried, refine) is not None for tried in outcomes.values()):
        for who in dice.sample(CONTENDERS, len(CONTENDERS)):
            calls = next_calls(ladder, outcomes[who], refine)
            if calls is None:
                continue
            before = [step for step in steps if step.contender == who]
            step = await _step(bench, who, calls, may_fail=bool(before))
            outcomes[who][calls] = step is not None and went_well(
                step.turns, _reference(before[0] if before else step).turns
            )
            if step is not None:
                steps.append(step)
                bench.progress.console.print(step_line(step, outcomes[who][calls]), soft_wrap=True)
    return steps, outcomes


async def _step(bench: _Bench, who: str, calls: int, *, may_fail: bool) -> Step | None:
    options = bench.options
    seconds = max(options.seconds, options.turns * options.every / calls)
    try:
        async with bench.visit(who) as line:
            return await measure_step(line, TALKATIVE, calls, seconds, options.every, partial(bench.say, who))
    except Overloaded as error:
        if not may_fail:
            raise
        bench.progress.console.print(f"{who}, {calls} calls: too many ({error})")
        return None


def _reference(step: Step) -> Step:
    """The step of one call, by which all others are judged.

    Raises:
        BenchError: there is none, as no turn was answered.
    """
    if all(turn.reply_ms is None for turn in step.turns):
        raise BenchError(f"{step.contender} has answered none of {len(step.turns)} turns of {step.calls} call(s)")
    return step


async def _silent(bench: _Bench, dice: random.Random) -> list[Step]:
    options, steps = bench.options, []
    for who in dice.sample(CONTENDERS, len(CONTENDERS)):
        async with bench.visit(who) as line:
            step = await measure_step(
                line,
                SILENT,
                options.silent_calls,
                options.seconds,
                options.every,
                partial(bench.say, f"{who}, mostly silent"),
            )
        steps.append(step)
    return steps


def _save(options: DensityOptions, found: dict[str, Any], steps: tuple[Step, ...]) -> None:
    if options.out is not None:
        write_results(options.out, found, {"steps": [step.to_json() for step in steps]})
    if options.chart is not None:
        options.chart.write_text(draw(found), encoding="utf-8")
