"""`python -m bench interruption`: somebody speaks while the agent speaks; this agent and stock, in real rooms."""

import asyncio
import contextlib
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.clips import RATE
from bench.interruption.disturbance import Disturbance, sentences, sounds
from bench.interruption.outcome import (
    Disturbed,
    Interruption,
    fate_of,
    fell_silent_ms,
    has_first_word,
    summarise,
    to_rows,
)
from bench.latency.contenders import CALLER, ours, stock
from bench.latency.ear import Ear
from bench.latency.servers import livekit_server, models_server
from bench.machine import describe_machine
from tests.support.caller import AUDIBLE

Item = TypeVar("Item", Interruption, Disturbed)

# Read aloud it takes about eleven seconds, without a pause.
LONG_TEXT = (
    "the quick brown fox jumps over the lazy dog and then the dog sleeps in the warm sun while seven white geese walk "
    "along the river and a small boat carries apples to the market in the old town"
)
# So long has the agent been speaking when it is disturbed.
INTO_S = (1.0, 2.5)
BEGINS_S = 20.0
ANSWER_S = 8.0
# An agent that takes a sound for an interruption is back after its time-out; stock's is two seconds.
BACK_S = 3.0
OVER_S = 1.5


@dataclass(frozen=True)
class InterruptionOptions:
    """What `python -m bench interruption` is asked for.

    Attributes:
        count: how many sentences are spoken into each contender's speech.
        seed: chooses them, and when they are spoken.
        with_sounds: whether hums, coughs and doors are tried too.
        json_output: print the results as one line of JSON at the end.
        out: where every single one is written, as JSON.
    """

    count: int = 10
    seed: int = 1
    with_sounds: bool = True
    json_output: bool = False
    out: Path | None = None


async def run_interruption(options: InterruptionOptions, console: Console, write: Callable[[str], None]) -> None:
    """Measure, print a table, and write what is asked for.

    Args:
        options: what is asked for.
        console: for progress and the table.
        write: gets the line of JSON.

    Raises:
        BenchError: a process of the run did not start.
        StartError: there is no livekit-server and none can be built.
    """
    machine = describe_machine()
    interruptions: list[Interruption] = []
    disturbed: list[Disturbed] = []
    dice = random.Random(options.seed)
    async with AsyncExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        livekit = await exits.enter_async_context(livekit_server(folder, console))
        models = await exits.enter_async_context(models_server(folder))
        contenders = [
            await exits.enter_async_context(ours(livekit, models, folder)),
            await exits.enter_async_context(stock(livekit, models, folder)),
        ]
        ears = [await exits.enter_async_context(contender.call(livekit)) for contender in contenders]
        for ear in ears:
            await _warm_up(ear)
        for said in sentences(options.count, options.seed):
            into_s = dice.uniform(*INTO_S)
            for ear in ears:
                interruptions.append(await _interrupt(ear, said, into_s))
                console.print(_line(interruptions[-1]), highlight=False)
        for sound in sounds() if options.with_sounds else ():
            into_s = dice.uniform(*INTO_S)
            for ear in ears:
                disturbed.append(await _disturb(ear, sound, into_s))
                console.print(_line(disturbed[-1]), highlight=False)
    machine["load_after"] = describe_machine()["load"]
    names = [contender.name for contender in contenders]
    found = {name: summarise(_of(interruptions, name), _of(disturbed, name)) for name in names}
    console.print(_table(found))
    if options.out is not None:
        every = {"results": found, "each": to_rows([*interruptions, *disturbed]), "machine": machine}
        await asyncio.to_thread(options.out.write_text, json.dumps(every, indent=1), encoding="utf-8")
    if options.json_output:
        write(json.dumps({**found, "machine": machine}))


async def _warm_up(ear: Ear) -> None:
    """The first reply is not disturbed: stock takes no interruption in the first three seconds that it speaks."""
    asked = time.monotonic()
    await ear.caller.send_text(LONG_TEXT)
    await ear.caller.until_agent_speaks(asked, BEGINS_S)
    await ear.caller.until_agent_is_silent(OVER_S)


async def _interrupt(ear: Ear, said: Disturbance, into_s: float) -> Interruption:
    onset = await _play(ear, said, into_s)
    with contextlib.suppress(TimeoutError):
        await ear.caller.until_agent_speaks(onset + said.end - said.onset, ANSWER_S)
    await ear.caller.until_agent_is_silent(OVER_S)
    silent_ms = fell_silent_ms(_audible(ear), onset)
    heard = _heard_of_caller(ear)
    return Interruption(ear.contender, said.name, silent_ms, has_first_word(said.words, heard), heard)


async def _disturb(ear: Ear, sound: Disturbance, into_s: float) -> Disturbed:
    onset = await _play(ear, sound, into_s)
    await ear.caller.until_agent_is_silent(BACK_S)
    end = onset + sound.end - sound.onset
    heard = _heard_of_caller(ear)
    fate, silent_ms = fate_of(_audible(ear), onset, end, answered=bool(heard))
    return Disturbed(ear.contender, sound.name, fate, silent_ms, heard)


async def _play(ear: Ear, played: Disturbance, into_s: float) -> float:
    """Make the agent speak and play something into it; returns when its first audible sample left (monotonic)."""
    caller = ear.caller
    caller.heard.frames.clear()
    asked = time.monotonic()
    await caller.send_text(LONG_TEXT)
    begun = await caller.until_agent_speaks(asked, BEGINS_S)
    await caller.until_agent_speaks(begun + into_s)
    caller.captions.clear()
    return await caller.say(played.samples, RATE, played.onset)


def _audible(ear: Ear) -> list[float]:
    return [at for at, frame in ear.caller.heard.frames if np.abs(frame.astype(np.int32)).max(initial=0) > AUDIBLE]


def _heard_of_caller(ear: Ear) -> str:
    """What was taken for the caller's words, now that they are final."""
    return " ".join(caption.text for caption in ear.caller.captions if caption.final and caption.identity == CALLER)


def _of(items: Sequence[Item], name: str) -> list[Item]:
    return [item for item in items if item.contender == name]


def _line(done: Interruption | Disturbed) -> str:
    if isinstance(done, Disturbed):
        return f"{done.recording}: {done.contender} {done.fate} ({done.silent_ms} ms of silence)"
    silent = "did not stop" if done.silent_ms is None else f"silent after {done.silent_ms} ms"
    return f"{done.recording}: {done.contender} {silent}{'' if done.first_word else ', first word lost'}"


def _table(found: dict[str, dict[str, Any]]) -> Table:
    table = Table(title="Somebody speaks into the agent's speech, or makes a sound: heard at the listener's ear")
    columns = ("median", "p95", "not stopped", "first word kept", "sounds: went on", "paused", "stopped")
    table.add_column("agent")
    for column in columns:
        table.add_column(column, justify="right")
    for name, figures in found.items():
        fates = figures["sounds"]
        pause = "" if figures["pause_ms"] is None else f" ({figures['pause_ms']} ms)"
        times = [f"{figures[key]} ms" for key in ("p50_ms", "p95_ms")]
        kept = f"{figures['first_words']} of {figures['interruptions']}"
        paused = f"{fates['paused']}{pause}"
        table.add_row(name, *times, str(figures["missed"]), kept, str(fates["went on"]), paused, str(fates["stopped"]))
    return table
