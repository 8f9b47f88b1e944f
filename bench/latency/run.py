"""`python -m bench latency`: the same recordings told to each contender in turn, in real rooms, in one run."""

import asyncio
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.clips import Clip, clips_with_pauses, plain_clips
from bench.latency.chart import draw
from bench.latency.contenders import Contender, PipecatBot, ours, stock
from bench.latency.ear import Ear
from bench.latency.options import LatencyOptions
from bench.latency.report import PAUSES, PLAIN, STUB, TITLES, each_table, results, stage_table, table
from bench.latency.servers import BenchError, LiveKit, livekit_server, models_server, stub_server
from bench.latency.summary import compare
from bench.latency.turn import HeardTurn
from bench.machine import describe_machine
from bench.results_file import read_results, write_results
from bench.venvs import PIPECAT_BOT, ensure_venv

# Connections are made and caches filled by the first turn of a call, which is not counted.
WARM_UP = "operator_hello_world"
# A contender that answers nothing for so many turns is broken, and the run with it.
MOST_MISSED = 5
# A load average from which on the figures are of something else than the contenders.
BUSY = 1.0
# Whoever answers sooner cannot have known that the sentence had ended: the silence that shows it takes as long, and
# so do the stub models together.
SOONEST_MS = {PLAIN: 200, PAUSES: 200, STUB: 600}


async def run_latency(options: LatencyOptions, console: Console, write: Callable[[str], None]) -> None:
    """Measure, print tables, and write what is asked for.

    Args:
        options: what is asked for.
        console: for progress and tables.
        write: gets the line of JSON.

    Raises:
        BenchError: a process of the run did not start, or a contender does not answer at all.
        VenvError: pipecat's environment cannot be made.
        StartError: there is no livekit-server and none can be built.
        ValueError: the earlier results that were asked for are none.
    """
    if options.results is not None:
        found = await asyncio.to_thread(read_results, options.results, "latency", ("ours", "machine"))
        await asyncio.to_thread(_save, options, found, {})
        return
    machine = describe_machine()
    if machine["load"] > BUSY:
        console.print(f"this machine is busy already (load {machine['load']}): all times will be too long")
    turns: dict[str, list[HeardTurn]] = {}
    async with AsyncExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        livekit = await exits.enter_async_context(livekit_server(folder, console))
        turns |= await _with_local_models(options, livekit, _subfolder(folder, "local"), console)
        if options.with_stub:
            turns[STUB] = await _with_stub_models(options, livekit, _subfolder(folder, "stub"), console)
    machine["load_after"] = describe_machine()["load"]
    comparisons = [compare(name, heard) for name, heard in turns.items()]
    for comparison in comparisons:
        if options.each:
            console.print(each_table(comparison.name, turns[comparison.name]))
        console.print(table(comparison), stage_table(comparison))
    found = results(comparisons, machine)
    await asyncio.to_thread(_save, options, found, turns)
    if options.json_output:
        write(json.dumps(found))


async def _with_local_models(
    options: LatencyOptions, livekit: LiveKit, folder: Path, console: Console
) -> dict[str, list[HeardTurn]]:
    async with AsyncExitStack() as exits:
        models = await exits.enter_async_context(models_server(folder))
        contenders = [
            await exits.enter_async_context(ours(livekit, models, folder)),
            await exits.enter_async_context(stock(livekit, models, folder)),
        ]
        plain = _chosen(plain_clips(), options)
        turns = {PLAIN: await _interleaved(PLAIN, plain, contenders, livekit, console)}
        if options.with_pauses:
            paused = _chosen(clips_with_pauses(options.seed), options)
            turns[PAUSES] = await _interleaved(PAUSES, paused, contenders, livekit, console)
        return turns


async def _with_stub_models(
    options: LatencyOptions, livekit: LiveKit, folder: Path, console: Console
) -> list[HeardTurn]:
    def say(message: str) -> None:
        console.print(message, highlight=False)

    async with AsyncExitStack() as exits:
        models = await exits.enter_async_context(stub_server(folder))
        contenders: list[Contender] = [
            await exits.enter_async_context(ours(livekit, models, folder)),
            await exits.enter_async_context(stock(livekit, models, folder)),
        ]
        if options.with_pipecat:
            python = await ensure_venv(PIPECAT_BOT, options.cache, say)
            contenders.append(PipecatBot("pipecat", python, models, folder))
        return await _interleaved(STUB, _chosen(plain_clips(), options), contenders, livekit, console)


async def _interleaved(
    name: str, clips: Sequence[Clip], contenders: Sequence[Contender], livekit: LiveKit, console: Console
) -> list[HeardTurn]:
    """Tell each clip to all contenders, one after the other; who begins changes from clip to clip."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    heard: list[HeardTurn] = []
    async with AsyncExitStack() as exits:
        ears = [await exits.enter_async_context(contender.call(livekit)) for contender in contenders]
        warm_up = next(clip for clip in plain_clips() if clip.name == WARM_UP)
        for ear in ears:
            await ear.tell(warm_up, SOONEST_MS[name])
        progress = exits.enter_context(Progress(*columns, console=console))
        task = progress.add_task(TITLES[name], total=len(clips))
        for index, clip in enumerate(clips):
            first = index % len(ears)
            for ear in (*ears[first:], *ears[:first]):
                heard.append(await _told(ear, clip, SOONEST_MS[name], heard))
            progress.update(task, advance=1)
    return await _with_stages(heard, contenders)


async def _told(ear: Ear, clip: Clip, soonest_ms: int, before: Sequence[HeardTurn]) -> HeardTurn:
    turn = await ear.tell(clip, soonest_ms)
    latest = [*(old for old in before if old.contender == turn.contender), turn][-MOST_MISSED:]
    if len(latest) == MOST_MISSED and all(old.missed for old in latest):
        raise BenchError(f"{turn.contender} has not answered {MOST_MISSED} recordings in a row")
    return turn


async def _with_stages(heard: Sequence[HeardTurn], contenders: Sequence[Contender]) -> list[HeardTurn]:
    turns: list[HeardTurn] = []
    for contender in contenders:
        turns += await contender.with_stages([turn for turn in heard if turn.contender == contender.name])
    return turns


def _chosen(clips: Sequence[Clip], options: LatencyOptions) -> list[Clip]:
    """So many clips as are asked for, or all; the seed chooses which and their order."""
    others = [clip for clip in clips if clip.name != WARM_UP]
    return random.Random(options.seed).sample(others, min(options.turns, len(others)))


def _subfolder(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def _save(options: LatencyOptions, found: dict[str, Any], turns: dict[str, list[HeardTurn]]) -> None:
    if options.out is not None and turns:
        every = {name: [turn.to_row() for turn in heard] for name, heard in turns.items()}
        write_results(options.out, found, {"turns": every})
    if options.chart is not None:
        options.chart.write_text(draw(found), encoding="utf-8")
