"""`python -m tests.chaos --seed 7 --turns 1000`: a run of faults from one seed; exit status 1 when a turn is amiss."""

import asyncio
import json
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.live_plan import Victim
from tests.chaos.live_run import LiveRun
from tests.chaos.live_verdict import LiveResult, spread
from tests.chaos.plan import make_plan
from tests.chaos.run import Result, Run

SHOWN = 20
LEAST_LIMIT_S = 600.0

console = Console(stderr=True)


app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def main(
    seed: Annotated[int | None, typer.Option(help="The run; another one each time by default.")] = None,
    turns: Annotated[int, typer.Option(min=3, help="How many turns are said.")] = 1000,
    pace: Annotated[float, typer.Option(min=0.1, help="Turns a second.")] = 25.0,
    limit: Annotated[float, typer.Option(help="Seconds after which the run is given up; 0: as its size asks.")] = 0.0,
    live: Annotated[bool, typer.Option("--live", help="Real calls; jobs, workers and livekit-server die.")] = False,
    minutes: Annotated[float, typer.Option(min=0.5, help="How long people call, with --live.")] = 10.0,
    json_output: Annotated[bool, typer.Option("--json", help="Print the result as one line of JSON.")] = False,
) -> None:
    """Say turns in many calls while the chat server, the lines to it and the processes of the calls are broken.

    Every turn must stand in its thread once and in order. What goes wrong, and after how many turns, the seed decides.
    With --live people call a real stack, and everything but the chat is killed; nobody may stay without an agent.
    """
    chosen = seed if seed is not None else secrets.randbelow(2**31)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    console.print(f"seed {chosen}, data and log in {folder}")
    if live:
        outcome = asyncio.run(LiveRun(chosen, minutes, folder).carry_out())
        if json_output:
            typer.echo(json.dumps(outcome.to_json()))
        else:
            show_live(outcome, folder)
        if not outcome.good:
            raise typer.Exit(1)
        shutil.rmtree(folder)
        return
    result = asyncio.run(carry_out(chosen, turns, folder, pace, limit or LEAST_LIMIT_S + 6 * turns / pace))
    if json_output:
        typer.echo(json.dumps(result.to_json()))
    else:
        show(result)
    if not result.verdict.good:
        raise typer.Exit(1)
    shutil.rmtree(folder)


async def carry_out(seed: int, turns: int, folder: Path, pace: float, limit_s: float) -> Result:
    """A run with a bar of its progress; raises TimeoutError when it takes longer than its limit."""
    columns = (TextColumn("turns said"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("turns", total=turns)

        def said(count: int) -> None:
            progress.update(bar, completed=count)

        return await Run(make_plan(seed, turns), folder, pace, limit_s=limit_s, progress=said).carry_out()


def show(result: Result) -> None:
    """The result for people."""
    out = Console()
    table = Table("what really went wrong", "times", title=f"seed {result.seed}")
    for kind, count in sorted(result.caused.items()):
        table.add_row(kind.replace("_", " "), str(count))
    out.print(table)
    verdict = result.verdict
    out.print(
        f"{verdict.turns} of {result.turns} turns in {result.conversations} threads, {result.seconds:.1f} s, "
        f"{verdict.turns / result.seconds:.1f} turns/s"
    )
    out.print(", ".join(f"{len(found)} {name}" for name, found in verdict.problems().items()))
    for name, found in verdict.problems().items():
        for entry in found[:SHOWN]:
            out.print(f"  {name}: {entry}", style="red")
    if not verdict.good:
        out.print(f"The processes' log: {result.log}")


def show_live(result: LiveResult, folder: Path) -> None:
    """The result of a run with calls for people."""
    out = Console()
    table = Table("killed", "times without an agent", "p50 (s)", "worst (s)", title=f"seed {result.seed}")
    for victim in Victim:
        seconds = spread(result.gaps(victim))
        table.add_row(victim, *(str(seconds.get(name, "")) for name in ("count", "p50", "worst")))
    out.print(table)
    out.print(f"{result.verdict.turns} turns in {len(result.calls)} calls, {result.minutes:g} minutes")
    given_up = sum(call.given_up_rightly for call in result.calls)
    out.print(
        f"{result.in_flight} typed just as an agent died, and not heard; {given_up} calls given up as they must be"
    )
    out.print(", ".join(f"{count} {name}" for name, count in result.problems.items()))
    for name, found in result.verdict.problems().items():
        for entry in found[:SHOWN]:
            out.print(f"  {name}: {entry}", style="red")
    if not result.good:
        out.print(f"Data and logs: {folder}")


if __name__ == "__main__":
    app()
