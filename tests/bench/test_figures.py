"""From single turns to figures, tables, JSON and a picture."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console
from typer.testing import CliRunner

from bench.__main__ import app
from bench.latency.chart import draw
from bench.latency.report import PAUSES, PLAIN, STUB, each_table, results, stage_table, table
from bench.latency.summary import compare
from bench.latency.turn import HeardTurn, Stages

MACHINE = {"cpu": "Fast & Sons", "cores": 2, "load": 0.1}


def told(who: str, recording: str, reply_ms: int | None, *, cut_off: bool = False) -> HeardTurn:
    missed = reply_ms is None and not cut_off
    return HeardTurn(who, recording, 2.0, (), reply_ms, cut_off, missed, 1_000.0, Stages(end_of_turn_ms=300))


TURNS = [
    *(told("ours", f"r{index}", 400 + index) for index in range(20)),
    *(told("stock", f"r{index}", 800 + 2 * index) for index in range(20)),
    told("ours", "cut", None, cut_off=True),
    told("stock", "cut", 900),
    told("ours", "deaf", None),
    told("stock", "deaf", None),
]


def test_figures_are_of_what_was_answered_in_time() -> None:
    """Turns that were cut off or missed are counted and are in no percentile; the ratio is of the same recordings."""
    comparison = compare(PLAIN, TURNS)
    ours, stock = comparison.summaries["ours"], comparison.summaries["stock"]
    assert (ours.turns, ours.cut_off, ours.missed, ours.p50_ms, ours.p95_ms) == (22, 1, 1, 410, 418)
    assert (stock.turns, stock.cut_off, stock.missed) == (22, 0, 1)
    assert comparison.pairs == 20
    assert comparison.ratio == 0.5
    assert ours.stages == Stages(end_of_turn_ms=300)


def test_nothing_answered_is_no_figure() -> None:
    """Without an answer there is no percentile and no ratio, and the tables still stand."""
    comparison = compare(PLAIN, [told("ours", "a", None), told("stock", "a", 500)])
    assert comparison.summaries["ours"].p50_ms is None
    assert (comparison.ratio, comparison.ratio_p95) == (None, None)
    console = Console(record=True, width=100)
    console.print(table(comparison), stage_table(comparison))
    assert "–" in console.export_text()


def test_every_turn_can_be_shown() -> None:
    """With what was heard, or why nothing counts, and the stages beside it."""
    console = Console(record=True, width=140)
    console.print(each_table(PLAIN, TURNS))
    shown = console.export_text()
    assert "410" in shown
    assert "cut off" in shown
    assert "missed" in shown
    assert "300" in shown


def test_the_json_is_as_it_is_documented() -> None:
    """`ours` and `stock` with five figures each, `ratio`, `pauses`, `stub`, `machine`."""
    three = [*TURNS, *(replace(turn, contender="pipecat") for turn in TURNS if turn.contender == "stock")]
    found = results([compare(PLAIN, TURNS), compare(PAUSES, TURNS), compare(STUB, three)], MACHINE)
    assert json.loads(json.dumps(found)) == found
    assert set(found) >= {"ours", "stock", "ratio", "pauses", "stub", "machine"}
    figures = {"p50_ms", "p95_ms", "cut_off", "missed", "turns"}
    assert set(found["ours"]) == set(found["stock"]) == set(found["pauses"]["stock"]) == figures
    assert set(found["stub"]) >= {"ours", "stock", "pipecat"}


@pytest.mark.parametrize("with_all", [True, False])
def test_the_chart_is_svg_with_the_figures_in_it(with_all: bool) -> None:
    """It is well-formed whatever the processor is called, and tables that were not made are left out."""
    comparisons = [compare(PLAIN, TURNS), *([compare(STUB, TURNS)] if with_all else [])]
    picture = ElementTree.fromstring(draw(results(comparisons, MACHINE)))
    words = " ".join(text for text in picture.itertext())
    assert "410" in words
    assert "1 of 22" in words
    assert "Fast & Sons" in words
    assert ("overhead" in words) == with_all


def test_a_chart_can_be_drawn_from_earlier_results(tmp_path: Path) -> None:
    """`--results FILE --chart FILE` measures nothing; a file that holds no results is named."""
    earlier, chart, other = tmp_path / "earlier.json", tmp_path / "chart.svg", tmp_path / "other.json"
    earlier.write_text(json.dumps(results([compare(PLAIN, TURNS)], MACHINE)))
    other.write_text("{}")
    runner = CliRunner()
    drawn = runner.invoke(app, ["latency", "--results", str(earlier), "--chart", str(chart)])
    assert drawn.exit_code == 0, drawn.output
    assert ElementTree.parse(chart).getroot().tag.endswith("svg")
    refused = runner.invoke(app, ["latency", "--results", str(other), "--chart", str(chart)])
    assert refused.exit_code == 1
    assert "other.json" in refused.stderr
