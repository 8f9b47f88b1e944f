"""The short form of `make chaos`: every turn stands in its thread once and in order, whatever is broken meanwhile."""

from pathlib import Path

import pytest

from tests.chaos.plan import make_plan
from tests.chaos.run import Run
from tests.chaos.verdict import CallRecord, ThreadRecord, judge

LIMIT_S = 900.0  # against hanging: on two cores with nothing else to do it is 15 s
PACE = 30.0  # turns a second
TURNS = 250


@pytest.mark.timeout(LIMIT_S + 60)
@pytest.mark.parametrize("seed", [3, 610274775])
async def test_nothing_is_lost_repeated_or_out_of_order(seed: int, tmp_path: Path) -> None:
    """Servers, lines, calls and workers are broken in the middle of many calls, as the seed says."""
    result = await Run(make_plan(seed, TURNS), tmp_path, PACE, limit_s=LIMIT_S).carry_out()
    again = f"make chaos SEED={seed} TURNS={TURNS} does the same; the processes' log is {result.log}"
    assert result.verdict.good, f"{result.verdict.problems()}; {again}"
    assert result.verdict.turns == TURNS, again
    assert sum(result.caused.values()) > TURNS / 20, again


def test_a_seed_always_makes_the_same_plan() -> None:
    """Who says what, and what goes wrong after how many turns."""
    assert make_plan(5, 500) == make_plan(5, 500) != make_plan(6, 500)
    assert make_plan(5, 500).turns == 500


def test_the_verdict_sees_everything_that_must_not_be() -> None:
    """A run that is judged good has been looked at."""
    said = ["a", "b", "c", "d"]
    assert judge([ThreadRecord("c", said, said, [*said, "foreign"])], []).good
    bad = judge([ThreadRecord("c", [*said, "e"], said, ["b", "a", "a", "d"])], [])
    assert (bad.not_durable, bad.lost, bad.repeated, bad.out_of_order) == (["e"], ["c"], ["a"], ["a"])
    swapped = judge([ThreadRecord("c", said, ["b", "a", "c", "d"], ["b", "a", "c", "d"])], [])
    assert swapped.out_of_order == ["a"]
    thread = ThreadRecord("c", [], [], ["x typed 1", "x typed 2"])
    call = CallRecord("call", "c", ["x typed 1", "x typed 1"], whole=True)
    told = judge([thread], [call])
    assert (told.told_twice, told.not_told) == (["call: x typed 1"], ["call: x typed 2"])
