"""The results for people."""

from statistics import median
from typing import Any

from rich.table import Table

from bench.density.first_word import FirstWords
from bench.density.step import Step
from bench.density.summary import CONTENDERS, step_row

_ROWS = {
    "cpu_per_call": "CPU per call, cores",
    "pss_mb_per_call": "memory per call, MB (PSS)",
    "idle_pss_mb": "memory without calls, MB (PSS)",
    "calls_per_core": "calls per core",
    "first_word_ms": "dispatch to first word, ms",
}
_RATIOS = {"cpu_per_call": "cpu_ratio", "pss_mb_per_call": "memory_ratio"}


def step_line(step: Step, well: bool) -> str:
    """What came of a number of calls, in one line."""
    row = step_row(step, well)
    judged = "well" if well else "too many"
    return (
        f"{step.contender}, {step.calls} calls: {judged}; voice to voice p50 {_cell(row['p50_ms'])}, "
        f"p95 {_cell(row['p95_ms'])} ms of {row['turns']} turns ({row['missed']} missed, {row['cut_off']} cut off); "
        f"a call {row['cpu_per_call']:.3f} cores, {row['pss_mb_per_call']:.0f} MB"
    )


def burst_line(words: FirstWords) -> str:
    """How soon callers were greeted, in one line."""
    warm = f"{median(words.warm_ms):.0f} ms" if words.warm_ms else "–"
    at_once = f"{median(words.burst_ms):.0f} to {words.burst_ms[-1]:.0f} ms" if words.burst_ms else "–"
    return f"{words.contender}: first word after {warm}; with {len(words.burst_ms)} calls at once {at_once}"


def summary_table(found: dict[str, Any]) -> Table:
    """The figures of both, and their ratios."""
    made = Table(title="What a call costs", caption=_caption(found))
    for title in ("", *CONTENDERS, "ours / stock"):
        made.add_column(title, justify="right" if title else "left")
    for name, title in _ROWS.items():
        ratio = found[_RATIOS[name]] if name in _RATIOS else None
        made.add_row(title, *(_cell(found[who][name]) for who in CONTENDERS), _cell(ratio))
    silent = found.get("silent")
    if silent:
        for name, ratio_name in _RATIOS.items():
            figures = (_cell(silent[who][name]) for who in CONTENDERS)
            made.add_row(f"{_ROWS[name]}, mostly silent", *figures, _cell(silent[ratio_name]))
    return made


def _caption(found: dict[str, Any]) -> str:
    at = found["compared_at"]
    compared = "no number of calls went well with both" if at is None else f"CPU and memory at {at} calls"
    open_ended = [who for who in CONTENDERS if not found[who]["limit_found"]]
    return compared + (f"; more calls were not tried with {' and '.join(open_ended)}" if open_ended else "")


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
