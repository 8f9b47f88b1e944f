"""The results for people (tables) and for machines (one line of JSON)."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from rich.table import Table

from bench.latency.summary import Comparison
from bench.latency.turn import HeardTurn, Stages

PLAIN, PAUSES, STUB = "plain", "pauses", "stub"
CONTENDERS = ("ours", "stock", "pipecat")
TITLES = {
    PLAIN: "local models, whole sentences",
    PAUSES: "local models, pauses of 0.4 to 1.2 s inside the sentences",
    STUB: "stub models (STT 150, LLM 300, TTS 150 ms): the overhead alone",
}
_STAGE_TITLES = ("transcript", "end of turn", "silence", "LLM token", "TTS byte", "library's total")


def results(comparisons: Sequence[Comparison], machine: dict[str, Any]) -> dict[str, Any]:
    """The object of the last line of `--json`."""
    tables = {comparison.name: comparison for comparison in comparisons}
    plain = tables[PLAIN].to_json()
    return {
        "ours": plain["ours"],
        "stock": plain["stock"],
        "ratio": plain["ratio"],
        "ratio_p95": plain["ratio_p95"],
        "pauses": tables[PAUSES].to_json() if PAUSES in tables else None,
        "stub": tables[STUB].to_json() if STUB in tables else None,
        "machine": machine,
    }


def table(comparison: Comparison) -> Table:
    """What was heard, in milliseconds at the ear."""
    made = Table(title=TITLES[comparison.name], caption=_caption(comparison))
    made.add_column("at the ear")
    for title in ("median", "p95", "cut off", "missed", "turns"):
        made.add_column(title, justify="right")
    for who, summary in comparison.summaries.items():
        counts = (summary.cut_off, summary.missed, summary.turns)
        made.add_row(who, *map(_cell, (summary.p50_ms, summary.p95_ms, *counts)))
    return made


def stage_table(comparison: Comparison) -> Table:
    """Medians of what the library inside each contender reports, beside what was heard."""
    made = Table(caption="medians in ms; what a contender does not report is left out")
    made.add_column("by stage")
    for title in (*_STAGE_TITLES, "ear"):
        made.add_column(title, justify="right")
    for who, summary in comparison.summaries.items():
        stages = [getattr(summary.stages, stage.name) for stage in fields(Stages)]
        made.add_row(who, *map(_cell, (*stages, summary.p50_ms)))
    return made


def each_table(name: str, turns: Sequence[HeardTurn]) -> Table:
    """Every turn of a table: what was heard, and the stages beside it, in ms."""
    made = Table(title=f"{TITLES[name]}, turn by turn")
    for title in ("recording", "told to", "ear", *_STAGE_TITLES):
        made.add_column(title, justify="left" if title in ("recording", "told to") else "right")
    for turn in sorted(turns, key=lambda turn: turn.recording):
        heard = "cut off" if turn.cut_off else "missed" if turn.missed else _cell(turn.reply_ms)
        stages = [getattr(turn.stages, stage.name) for stage in fields(Stages)]
        made.add_row(turn.recording, turn.contender, heard, *map(_cell, stages))
    return made


def _caption(comparison: Comparison) -> str:
    if comparison.ratio is None:
        return "ours and stock answered no recording both"
    p95 = "" if comparison.ratio_p95 is None else f"; of the 95th percentiles: {comparison.ratio_p95:.2f}"
    return f"ours / stock, median over {comparison.pairs} recordings: {comparison.ratio:.2f}{p95}"


def _cell(value: int | None) -> str:
    return "–" if value is None else str(value)
