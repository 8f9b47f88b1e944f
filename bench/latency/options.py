"""What `python -m bench latency` is asked for."""

from dataclasses import dataclass
from pathlib import Path

from bench.venvs import CACHE


@dataclass(frozen=True)
class LatencyOptions:
    """The options of one run.

    Attributes:
        turns: how many recordings each contender is told in each table; there may be fewer recordings.
        seed: chooses the recordings, their order, and where pauses are put in.
        with_pauses: whether the table of sentences with pauses is made.
        with_stub: whether the table with models of a fixed delay is made.
        with_pipecat: whether pipecat takes part in that table; its environment needs PyPI the first time.
        each: show every single turn with its stages, too.
        json_output: print the results as one line of JSON at the end; progress goes to standard error.
        results: earlier results to show and draw instead of measuring: the last line of `--json`, or a file of `out`.
        out: where every single turn is written, as JSON.
        chart: where a picture of the results is written, as SVG.
        cache: where environments of others are kept.
    """

    turns: int = 40
    seed: int = 1
    with_pauses: bool = True
    with_stub: bool = True
    with_pipecat: bool = False
    each: bool = False
    json_output: bool = False
    results: Path | None = None
    out: Path | None = None
    chart: Path | None = None
    cache: Path = CACHE
