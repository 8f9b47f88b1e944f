"""What `python -m bench profile` is asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProfileOptions:
    """The options of one run.

    Attributes:
        calls: how many at once.
        seconds: how long they are watched.
        every: seconds from the beginning of one turn of a caller to that of the next.
        seed: chooses the recordings and who begins.
        json_output: print the results as one line of JSON at the end; progress goes to standard error.
        results: earlier results to show and draw instead of measuring.
        out: where the results are written, as JSON, with all that the threads worked at.
        chart: where a picture of the results is written, as SVG.
    """

    calls: int = 4
    seconds: float = 60.0
    every: float = 10.0
    seed: int = 1
    json_output: bool = False
    results: Path | None = None
    out: Path | None = None
    chart: Path | None = None
