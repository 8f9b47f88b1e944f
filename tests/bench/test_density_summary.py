"""The last line of `--json`, and the picture."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

from bench.density.chart import draw
from bench.density.cores import Cores, divide
from bench.density.first_word import FirstWords
from bench.density.step import Load, Step
from bench.density.summary import Measured, compared_at, results
from bench.density.turns import Turn

IDLE = Load(cores=0.02, pss_mb=500.0, processes=4)


def _step(contender: str, calls: int, cores: float, pss_mb: float) -> Step:
    turns = (Turn("call", "name", 0.0, 1000.0, cut_off=False, missed=False),)
    return Step(contender, calls, IDLE, Load(cores, pss_mb, 4 + calls), turns, 0.01)


MEASURED = Measured(
    steps=[
        _step("ours", 1, 0.1, 560),
        _step("ours", 5, 0.27, 750),
        _step("ours", 10, 0.6, 1000),
        _step("stock", 1, 0.15, 600),
        _step("stock", 5, 0.52, 1000),
        _step("stock", 10, 1.0, 1500),
    ],
    outcomes={"ours": {1: True, 5: True, 10: True}, "stock": {1: True, 5: True, 10: False}},
    silent=[_step("ours", 5, 0.12, 600), _step("stock", 5, 0.22, 700)],
    first_words=[FirstWords("ours", (500.0, 600.0, 700.0), (900.0, 1500.0)), FirstWords("stock", (), ())],
    cores=Cores(frozenset({1}), frozenset({0})),
    machine={"cores": 2, "cpu": "some <processor>"},
)


def test_contenders_are_compared_where_both_did_well() -> None:
    """What a call adds to the worker without calls, at the same number of calls."""
    found = results(MEASURED)
    assert found["compared_at"] == 5
    assert (found["ours"]["cpu_per_call"], found["stock"]["cpu_per_call"]) == (0.05, 0.1)
    assert (found["ours"]["pss_mb_per_call"], found["stock"]["pss_mb_per_call"]) == (50.0, 100.0)
    assert (found["cpu_ratio"], found["memory_ratio"]) == (0.5, 0.5)
    assert (found["silent"]["cpu_ratio"], found["silent"]["memory_ratio"]) == (0.5, 0.5)


def test_the_last_line_has_what_the_issue_asks_for() -> None:
    """And says where the limit was not found, and what was not measured."""
    found = results(MEASURED)
    assert (found["ours"]["calls_per_core"], found["ours"]["limit_found"]) == (10, False)
    assert (found["stock"]["calls_per_core"], found["stock"]["limit_found"]) == (5, True)
    assert found["ours"]["idle_pss_mb"] == 500.0
    assert found["ours"]["first_word_ms"] == 600
    assert found["ours"]["first_word_at_once_ms"] == {"calls": 2, "p50": 1200, "last": 1500}
    assert (found["stock"]["first_word_ms"], found["stock"]["first_word_at_once_ms"]) == (None, None)
    assert found["cores"] == {"worker": 1, "others": 1, "apart": True}


def test_nothing_is_compared_where_nobody_did_well() -> None:
    """The figures are unknown then, not zero."""
    nobody = {who: dict.fromkeys((1, 5, 10), False) for who in ("ours", "stock")}
    found = results(replace(MEASURED, outcomes=nobody))
    assert found["compared_at"] is None
    assert (found["ours"]["cpu_per_call"], found["cpu_ratio"]) == (None, None)
    assert compared_at({}) is None


def test_the_picture_is_well_formed_and_has_the_figures() -> None:
    """With those that are lower bounds marked as such."""
    picture = draw(results(MEASURED))
    ElementTree.fromstring(picture)
    assert "10 or more" in picture
    assert "5.0 %" in picture
    assert "100 MB" in picture


def test_the_worker_has_a_core_of_its_own_where_there_are_two() -> None:
    """A single one is shared, and that is known."""
    two, one = divide({0, 1}), divide({3})
    assert (two.worker, two.others, two.apart) == (frozenset({1}), frozenset({0}), True)
    assert (one.worker, one.others, one.apart) == (frozenset({3}), frozenset({3}), False)
