"""The measurements: `python -m bench bridge | density | latency | interruption | models | profile | turns`."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.venvs import CACHE, VenvError

# Options that several measurements have.
JsonOutput = Annotated[bool, typer.Option("--json", help="Print the results as one line of JSON at the end.")]
EarlierResults = Annotated[
    Path | None, typer.Option(help="Show and draw these earlier results (.json) instead of measuring.")
]
Chart = Annotated[Path | None, typer.Option(help="Write a picture of the results to this file, as SVG.")]

app = typer.Typer(
    name="bench",
    help="Measurements against stock livekit-agents and others, on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _main() -> None:
    """Measurements against stock livekit-agents and others, on this machine."""


@app.command()
def bridge(
    turns: Annotated[int, typer.Option(min=10, help="Turns whose way to another chat client is timed.")] = 1000,
    burst: Annotated[int, typer.Option(min=10, help="Turns that are handed over at once, for turns a second.")] = 2000,
    voice: Annotated[
        int, typer.Option(min=0, help="Spoken turns with the chat in each state (healthy, down, flooded); 0: none.")
    ] = 40,
    rounds: Annotated[int, typer.Option(min=1, help="Calls in each state that these are divided into.")] = 4,
    seed: Annotated[int, typer.Option(help="Chooses the order of the states in each round.")] = 1,
    json_output: JsonOutput = False,
) -> None:
    """From a final turn to another chat client, turns a second, and what a bad chat costs the voice."""
    from bench.bridge.command import BridgeOptions, run_bridge

    options = BridgeOptions(turns, burst, voice, rounds, seed, json_output)
    _run(lambda console: run_bridge(options, console, typer.echo), json_output)


@app.command()
def density(
    calls: Annotated[
        str, typer.Option(help="Numbers of calls that are tried, rising; until one is too many.")
    ] = "1,2,5,10,15,20,30",
    refine: Annotated[
        bool, typer.Option(help="Look between the last number that went well and the first that did not, too.")
    ] = True,
    seconds: Annotated[float, typer.Option(min=5, help="How long each number of calls is measured.")] = 60.0,
    turns: Annotated[
        int, typer.Option(min=1, help="Turns for which each is measured at least, where that takes longer.")
    ] = 12,
    every: Annotated[float, typer.Option(min=7, help="Seconds from one turn of a caller to the next.")] = 10.0,
    silent: Annotated[int, typer.Option(min=0, help="Calls that are mostly silence, measured too; 0: none.")] = 5,
    first_words: Annotated[int, typer.Option(min=0, help="Greetings that are timed one by one; 0: none.")] = 5,
    burst: Annotated[int, typer.Option(min=1, help="Calls that are greeted at once.")] = 10,
    seed: Annotated[int, typer.Option(help="Chooses the recordings and who begins.")] = 1,
    json_output: JsonOutput = False,
    results: EarlierResults = None,
    out: Annotated[Path | None, typer.Option(help="Write the results and every turn to this file, as JSON.")] = None,
    chart: Chart = None,
) -> None:
    """Calls per core, CPU and memory per call, this agent and a stock livekit-agents worker in the same run."""
    from bench.density.options import DensityOptions, parse_calls
    from bench.density.run import run_density

    def work(console: Console) -> Coroutine[None, None, None]:
        asked = parse_calls(calls)
        options = DensityOptions(
            asked, refine, seconds, turns, every, silent, first_words, burst, seed, json_output, results, out, chart
        )
        return run_density(options, console, typer.echo)

    _run(work, json_output)


@app.command()
def latency(
    turns: Annotated[int, typer.Option(min=1, help="Recordings in each table; all when there are fewer.")] = 40,
    seed: Annotated[int, typer.Option(help="Chooses the recordings, their order and where pauses are put in.")] = 1,
    pauses: Annotated[bool, typer.Option(help="Measure sentences with pauses in them too.")] = True,
    stub: Annotated[bool, typer.Option(help="Measure with models of a fixed delay too.")] = True,
    pipecat: Annotated[
        bool, typer.Option(help="Measure pipecat with those models; needs PyPI the first time.")
    ] = False,
    each: Annotated[bool, typer.Option(help="Show every single turn and its stages too.")] = False,
    json_output: JsonOutput = False,
    results: Annotated[
        Path | None, typer.Option(help="Draw these earlier results (.json) with --chart instead of measuring.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write every single turn to this file, as JSON.")] = None,
    chart: Chart = None,
    cache: Annotated[Path, typer.Option(help="Where environments of others are kept.")] = CACHE,
) -> None:
    """Voice to voice at the listener's ear, this agent and a stock livekit-agents worker in the same run."""
    from bench.latency.options import LatencyOptions
    from bench.latency.run import run_latency

    options = LatencyOptions(turns, seed, pauses, stub, pipecat, each, json_output, results, out, chart, cache)
    _run(lambda console: run_latency(options, console, typer.echo), json_output)


@app.command()
def interruption(
    count: Annotated[int, typer.Option(min=1, help="Sentences that are spoken into each agent's speech.")] = 10,
    seed: Annotated[int, typer.Option(help="Chooses the sentences, and when they are spoken.")] = 1,
    sounds: Annotated[bool, typer.Option(help="Try hums, coughs and doors too.")] = True,
    json_output: JsonOutput = False,
    out: Annotated[Path | None, typer.Option(help="Write every single one to this file, as JSON.")] = None,
) -> None:
    """How soon the agent is silent when somebody speaks into its speech, and what a mere sound does; beside stock."""
    from bench.interruption.command import InterruptionOptions, run_interruption

    options = InterruptionOptions(count, seed, sounds, json_output, out)
    _run(lambda console: run_interruption(options, console, typer.echo), json_output)


@app.command()
def profile(
    calls: Annotated[int, typer.Option(min=1, help="Calls at once.")] = 4,
    seconds: Annotated[float, typer.Option(min=5, help="How long they are watched.")] = 60.0,
    every: Annotated[float, typer.Option(min=7, help="Seconds from one turn of a caller to the next.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Chooses the recordings and who begins.")] = 1,
    json_output: JsonOutput = False,
    results: EarlierResults = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the results and all that the threads worked at to this file, as JSON.")
    ] = None,
    chart: Chart = None,
) -> None:
    """What a call's CPU and memory go into, this agent and a stock livekit-agents worker in the same run."""
    from bench.profile.options import ProfileOptions
    from bench.profile.run import run_profile

    options = ProfileOptions(calls, seconds, every, seed, json_output, results, out, chart)
    _run(lambda console: run_profile(options, console, typer.echo), json_output)


@app.command()
def turns(
    out: Annotated[Path | None, typer.Option(help="Write all scores to this .csv or .json.")] = None,
    scores: Annotated[Path | None, typer.Option(help="Judge these scores (.json) instead of making new ones.")] = None,
    delay: Annotated[int, typer.Option(help="Milliseconds of silence after which the rules decide.")] = 200,
    smart_turn: Annotated[bool, typer.Option(help="Ask Smart Turn too; needs PyPI the first time.")] = True,
    json_output: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
    chart: Annotated[
        Path | None, typer.Option(help="Write a picture of waits and cut-offs to this file, as SVG.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Where environments of others are kept.")] = CACHE,
) -> None:
    """What tells the end of a turn from a pause: rules fitted on one half of the recordings, judged on the other."""
    from bench.turns.command import TurnsOptions, run_turns

    options = TurnsOptions(out, scores, delay, smart_turn, json_output, chart, cache)
    _run(lambda console: run_turns(options, console, typer.echo), json_output)


@app.command()
def models(
    at_once: Annotated[str, typer.Option(help="Numbers of requests at the same moment.")] = "1,2,4,8,16",
    rounds: Annotated[int, typer.Option(min=1, help="How often each of them.")] = 10,
    calls: Annotated[str, typer.Option(help="Numbers of calls, the fewest first.")] = "1,5,10,15,20,30",
    seconds: Annotated[float, typer.Option(min=1, help="How long with each number of calls.")] = 40.0,
    turn: Annotated[float, typer.Option(min=1, help="Seconds from turn to turn of a call.")] = 8.0,
    seed: Annotated[int, typer.Option(help="Chooses recordings, replies and moments.")] = 1,
    json_output: Annotated[bool, typer.Option("--json", help="Print one line of JSON at the end.")] = False,
) -> None:
    """How many calls one process of the local models serves before people wait longer."""
    from bench.models.command import ModelsOptions, run_models

    def numbers(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in text.split(","))

    options = ModelsOptions(numbers(at_once), rounds, numbers(calls), seconds, turn, seed, json_output)
    _run(lambda console: run_models(options, console, typer.echo), json_output)


def _run(work: Callable[[Console], Coroutine[None, None, None]], json_output: bool) -> None:
    """Do the work; what goes wrong is said in one line."""
    from agent.dev.problems import StartError
    from bench.latency.servers import BenchError

    try:
        asyncio.run(work(Console(stderr=json_output)))
    except (BenchError, StartError, ValueError, VenvError) as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
