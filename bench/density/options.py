"""What `python -m bench density` is asked for."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

LADDER = (1, 2, 5, 10, 15, 20, 30)


@dataclass(frozen=True)
class DensityOptions:
    """The options of one run.

    Attributes:
        calls: how many calls are tried, in this order, until one number is too many.
        refine: look between the last number that went well and the first that did not, too.
        seconds: how long each number of calls is measured.
        turns: a number of calls is measured for as long as so many turns take, where that is longer.
        every: seconds from the beginning of one turn of a caller to that of the next.
        silent_calls: how many calls that are mostly silence are measured; 0: none.
        first_words: how many greetings are timed, one after the other; 0: none, and none at once either.
        burst: how many calls arrive at once.
        seed: chooses the recordings and who begins.
        json_output: print the results as one line of JSON at the end; progress goes to standard error.
        results: earlier results to show and draw instead of measuring.
        out: where the results and every turn are written, as JSON.
        chart: where a picture of the results is written, as SVG.
    """

    calls: tuple[int, ...] = LADDER
    refine: bool = True
    seconds: float = 60.0
    turns: int = 12
    every: float = 10.0
    silent_calls: int = 5
    first_words: int = 5
    burst: int = 10
    seed: int = 1
    json_output: bool = False
    results: Path | None = None
    out: Path | None = None
    chart: Path | None = None


def parse_calls(text: str) -> tuple[int, ...]:
    """Numbers of calls, rising, from "1,2,5,10".

    Raises:
        ValueError: it is anything else.
    """
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"--calls {text}: numbers separated by commas are wanted, such as 1,2,5,10") from None
    if numbers[0] < 1 or any(later <= earlier for earlier, later in pairwise(numbers)):
        raise ValueError(f"--calls {text}: the numbers must rise, from 1 on")
    return numbers
