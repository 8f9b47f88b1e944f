"""`python -m bench bridge`: measure, and show the results to people or to programs."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.bridge.thread import bridge_under_test, time_turns, turns_per_second
from bench.bridge.voice import ChatState, VoiceTurn, measure_voice
from bench.machine import describe_machine
from bench.percentiles import percentile

# On the disk of the project, where the journal of a worker would be; a file system in memory would flatter.
DATA_DIR = Path(".data")
AIM_VISIBLE_P99_MS = 30.0
AIM_VOICE_RATIO = 1.1


@dataclass(frozen=True)
class BridgeOptions:
    """What the command line says; see its help."""

    turns: int
    burst: int
    voice: int
    rounds: int
    seed: int
    json_output: bool


@dataclass(frozen=True)
class BridgeResult:
    """What was measured.

    Args:
        visible_ms: for each turn, from final to another chat client.
        turns_per_s: through one bridge, each turn synced to the disk.
        voice: each spoken turn.
        machine: what it was measured on.
    """

    visible_ms: Sequence[float]
    turns_per_s: float
    voice: Sequence[VoiceTurn]
    machine: dict[str, Any]

    def voice_ms(self, state: ChatState) -> list[float]:
        """The answers' delays with the chat in a state."""
        return [turn.reply_ms for turn in self.voice if turn.state is state and turn.reply_ms is not None]

    def voice_ratio(self, state: ChatState) -> float | None:
        """The 95th percentile in a state by that of a healthy chat; None when the voice was not measured."""
        healthy, other = self.voice_ms(ChatState.HEALTHY), self.voice_ms(state)
        return round(percentile(other, 95) / percentile(healthy, 95), 3) if healthy and other else None

    def to_json(self) -> dict[str, Any]:
        """For other programs."""
        return {
            "visible_ms": {f"p{p}": round(percentile(self.visible_ms, p), 2) for p in (50, 99)},
            "turns_per_s": round(self.turns_per_s, 1),
            "voice_p95_ratio": {str(s): self.voice_ratio(s) for s in (ChatState.DOWN, ChatState.FLOODED)},
            "machine": self.machine,
        }


async def run_bridge(options: BridgeOptions, console: Console, write: Callable[[str], None]) -> None:
    """Measure everything and write the results.

    Args:
        options: what the command line says.
        console: for people.
        write: takes the line for programs.
    """
    with _folder() as folder:
        result = await _measure(options, folder, console)
    console.print(_thread_table(result))
    if result.voice:
        console.print(_voice_table(result))
    if options.json_output:
        write(json.dumps(result.to_json()))


@contextmanager
def _folder() -> Iterator[Path]:
    DATA_DIR.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=DATA_DIR) as name:
        yield Path(name).absolute()


async def _measure(options: BridgeOptions, folder: Path, console: Console) -> BridgeResult:
    machine = describe_machine()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        timing = progress.add_task("turns to another chat client", total=options.turns)
        async with bridge_under_test(folder / "thread") as bridge:
            visible = await time_turns(bridge, options.turns, lambda: progress.advance(timing))
            at_once = progress.add_task("turns at once", total=options.burst)
            rate = await turns_per_second(bridge, options.burst)
            progress.update(at_once, completed=options.burst)
        voice: list[VoiceTurn] = []
        if options.voice:
            speaking = progress.add_task("spoken turns", total=options.voice * len(ChatState))
            voice = await measure_voice(
                folder / "voice",
                options.voice,
                options.rounds,
                options.seed,
                console,
                lambda: progress.advance(speaking),
            )
    return BridgeResult(visible, rate, voice, machine)


def _thread_table(result: BridgeResult) -> Table:
    table = Table("from call to thread", "measured", "aim", title="The bridge")
    for percent, aim in ((50, ""), (95, ""), (99, f"at most {AIM_VISIBLE_P99_MS:.0f} ms")):
        visible = percentile(result.visible_ms, percent)
        table.add_row(f"final turn to another chat client, p{percent}", f"{visible:.1f} ms", aim)
    table.add_row("turns a second through one bridge", f"{result.turns_per_s:.0f}", "")
    table.add_row("load of the machine before", f"{result.machine['load']}", "")
    return table


def _voice_table(result: BridgeResult) -> Table:
    title = "From the end of speech to the answer, at the caller's ear"
    table = Table("chat", "answers", "missing", "p50", "p95", "p95 to healthy", "aim", title=title)
    for state in ChatState:
        all_turns = [turn for turn in result.voice if turn.state is state]
        times = result.voice_ms(state)
        figures = [f"{percentile(times, p):.0f} ms" for p in (50, 95)] if times else ["-", "-"]
        ratio, aim = (
            ("", "") if state is ChatState.HEALTHY else (f"{result.voice_ratio(state)}", f"< {AIM_VOICE_RATIO}")
        )
        table.add_row(str(state), str(len(times)), str(len(all_turns) - len(times)), *figures, ratio, aim)
    return table
