"""The time line in the terminal: two lanes of blocks, one for each who speaks, and what happened below them."""

import math
from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from agent.report.happenings import Weight
from agent.report.report import Report
from agent.report.reported_turn import ReportedTurn
from agent.report.wording import clock
from agent.turns import Channel

SPOKEN, TYPED, CUT, SILENT = "█", "◆", "▓", "·"
EVENT = "▲"
MOST_ROWS = 12
# A character is half a second, or less where the call is short.
CELL_S, SHORTEST_CELL_S = 0.5, 0.1


def strip(report: Report, columns: int) -> RenderableType:
    """The lanes of a call, in as few rows as let a second be seen, and never in too many.

    Args:
        report: the call.
        columns: how many characters a row may have.
    """
    length = max(1.0, report.length_s)
    rows_wanted = min(MOST_ROWS, max(1, math.ceil(length / columns / CELL_S)))
    per_cell = max(SHORTEST_CELL_S, math.ceil(length / columns / rows_wanted * 100) / 100)
    cells = math.ceil(length / per_cell)
    rows: list[RenderableType] = []
    for first in range(0, cells, columns):
        shown = range(first, min(cells, first + columns))
        rows.append(Text(f"{'':>10} {clock(first * per_cell)}", style="dim"))
        rows.append(_lane("caller", (t for t in report.turns if t.is_callers), shown, per_cell, "blue"))
        rows.append(_lane("assistant", (t for t in report.turns if not t.is_callers), shown, per_cell, "green"))
        if any(_cell(h.offset_s, per_cell) in shown for h in report.happenings):
            rows.append(_events(report, shown, per_cell))
    legend = f"{SPOKEN} spoken   {CUT} cut off   {TYPED} typed   {EVENT} event   one character is {per_cell:.2g} s"
    return Group(*rows, Text(f"{'':>10} {legend}", style="dim"))


def _lane(name: str, turns: Iterable[ReportedTurn], shown: range, per_cell: float, colour: str) -> Text:
    line = [SILENT] * len(shown)
    for turn in turns:
        first, last = _cell(turn.start_s, per_cell), _cell(turn.end_s, per_cell)
        for cell in range(max(first, shown.start), min(last, shown.stop - 1) + 1):
            typed = turn.turn.channel is not Channel.VOICE
            line[cell - shown.start] = TYPED if typed else CUT if turn.turn.interrupted else SPOKEN
    return Text.assemble((f"{name:>10} ", "dim"), ("".join(line), colour))


def _events(report: Report, shown: range, per_cell: float) -> Text:
    weights = {_cell(h.offset_s, per_cell): h.weight for h in report.happenings}
    parts = [_mark(weights.get(cell)) for cell in shown]
    return Text.assemble((f"{'events':>10} ", "dim"), *parts)


def _mark(weight: Weight | None) -> tuple[str, str]:
    return (" ", "") if weight is None else (EVENT, "red" if weight is Weight.BAD else "yellow")


def _cell(seconds: float, per_cell: float) -> int:
    return int(max(0.0, seconds) / per_cell)
