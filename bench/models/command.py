"""`python -m bench models`: measure, and show the results to people or to programs."""

import json
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from bench.latency.servers import models_server
from bench.machine import describe_machine
from bench.models.load import REQUEST_TIMEOUT_S, Client, Measured, Waits, calls, together
from bench.percentiles import percentile

# The same factor as for calls on one worker.
SUFFERS_AT = 1.3


@dataclass(frozen=True)
class ModelsOptions:
    """What the command line says; see its help."""

    at_once: tuple[int, ...]
    rounds: int
    calls: tuple[int, ...]
    seconds: float
    turn_s: float
    seed: int
    json_output: bool


@dataclass(frozen=True)
class ModelsResult:
    """What was measured.

    Attributes:
        together: requests at the same moment.
        calls: conversations, whose requests meet by chance.
        machine: what it was measured on.
    """

    together: Sequence[Measured]
    calls: Sequence[Measured]
    machine: dict[str, Any]

    def most_calls(self) -> int:
        """The largest number of calls whose p95 is within 1.3 times that of requests that are alone; 0: none is.

        Both of hearing and of speaking; alone are the requests of the first row of `together`.
        """
        alone, most = self.together[0], 0
        for measured in self.calls:
            pairs = ((measured.hearing, alone.hearing), (measured.speaking, alone.speaking))
            if any(_suffers(now, then) for now, then in pairs):
                break
            most = measured.at_once
        return most

    def to_json(self) -> dict[str, Any]:
        """For other programs."""
        return {
            "together": [_to_json(measured) for measured in self.together],
            "calls": [_to_json(measured) for measured in self.calls],
            "most_calls": self.most_calls(),
            "machine": self.machine,
        }


async def run_models(options: ModelsOptions, console: Console, write: Callable[[str], None]) -> None:
    """Measure everything and write the results.

    Args:
        options: what the command line says.
        console: for people.
        write: takes the line for programs.
    """
    machine, dice = describe_machine(), random.Random(options.seed)
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with (
            models_server(Path(folder)) as base_url,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as http,
        ):
            client = Client(http, base_url)
            with console.status("requests at the same moment"):
                at_once = [await together(client, count, options.rounds, dice) for count in options.at_once]
            spoken = []
            for count in options.calls:
                with console.status(f"{count} calls for {options.seconds:.0f} s"):
                    spoken.append(await calls(client, count, options.seconds, options.turn_s, dice))
    result = ModelsResult(at_once, spoken, machine)
    console.print(_table("Requests at the same moment", "at once", result.together))
    console.print(_table(f"Calls in which somebody speaks each {options.turn_s:g} s", "calls", result.calls))
    console.print(
        f"{result.most_calls()} calls before the p95 leaves {SUFFERS_AT} times that of requests that are alone"
    )
    if options.json_output:
        write(json.dumps(result.to_json()))


def _suffers(now: Waits, then: Waits) -> bool:
    slowest, usual = _p(now, 95), _p(then, 95)
    return bool(now.refused) or slowest is None or usual is None or slowest > SUFFERS_AT * usual


def _p(waits: Waits, percent: float) -> float | None:
    """None when all were refused."""
    return round(percentile(waits.ms, percent), 1) if waits.ms else None


def _to_json(measured: Measured) -> dict[str, Any]:
    kinds = {"transcription": measured.hearing, "first_sound": measured.speaking}
    figures = {name: {"p50_ms": _p(w, 50), "p95_ms": _p(w, 95), "refused": w.refused} for name, w in kinds.items()}
    return {"at_once": measured.at_once, **figures}


def _table(title: str, first: str, rows: Sequence[Measured]) -> Table:
    columns = [f"{kind}, {what}" for kind in ("words", "first sound") for what in ("p50", "p95", "refused")]
    table = Table(first, *columns, title=title)
    for row in rows:
        cells = [
            cell
            for waits in (row.hearing, row.speaking)
            for cell in (_shown(_p(waits, 50)), _shown(_p(waits, 95)), str(waits.refused))
        ]
        table.add_row(str(row.at_once), *cells)
    return table


def _shown(ms: float | None) -> str:
    return "-" if ms is None else f"{ms:.0f} ms"
