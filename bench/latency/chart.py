"""A picture of the results for the README; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from bench.latency.report import CONTENDERS, PAUSES, PLAIN, STUB
from bench.picture import NAMES, WIDTH, bar, picture

_LEFT, _RIGHT, _TOP = 110, 270, 64
# Where the columns of figures end.
_COLUMNS = {"median": WIDTH - 196, "p95": WIDTH - 140, "cut off": WIDTH - 72, "missed": WIDTH - 16}
_ROW, _BAR, _GROUP_GAP, _TITLE = 30, 16, 22, 26
_STEPS_MS = (100, 200, 250, 500, 1000, 2000, 5000)
_GROUPS = {
    PLAIN: "Whole sentences",
    PAUSES: "Sentences with pauses of 0.4–1.2 s inside",
    STUB: "The overhead alone: models that take 600 ms in all",
}


@dataclass(frozen=True)
class _Row:
    contender: str
    p50_ms: int
    p95_ms: int
    cut_off: int
    missed: int
    turns: int


@dataclass(frozen=True)
class _Scale:
    """From milliseconds to the picture."""

    longest_ms: int
    step_ms: int

    def x(self, milliseconds: float) -> float:
        return round(_LEFT + milliseconds / self.longest_ms * (WIDTH - _LEFT - _RIGHT), 1)


def draw(found: dict[str, Any]) -> str:
    """The results, as `results` makes them, as SVG: a bar to the median, a line to the 95th percentile."""
    groups = [(title, rows) for name, title in _GROUPS.items() if (rows := _rows(found, name))]
    scale = _scale([row.p95_ms for _, rows in groups for row in rows])
    body: list[str] = []
    top = _TOP
    for title, rows in groups:
        body += _group(title, rows, scale, top)
        top += _TITLE + _ROW * len(rows) + _GROUP_GAP
    height = top + 30
    machine = found["machine"]
    note = f"On {machine['cores']} cores ({machine['cpu']}). Cut off: answered before the sentence had ended."
    parts = [
        '<text class="note" x="16" y="47">bar: median; line: 95th percentile</text>',
        *(_column(x, 47, "note", title) for title, x in _COLUMNS.items()),
        *_grid(scale, _TOP, top - _GROUP_GAP),
        *body,
        f'<text class="note" x="16" y="{height - 12}">{escape(note)}</text>',
    ]
    title = "From your last word to its first: heard at the ear, in milliseconds"
    return picture(title, "Voice to voice at the ear, in milliseconds", height, parts)


def _rows(found: dict[str, Any], name: str) -> list[_Row]:
    table = found if name == PLAIN else found.get(name) or {}
    answered = [who for who in CONTENDERS if (table.get(who) or {}).get("p50_ms") is not None]
    return [_Row(who, **table[who]) for who in answered]


def _scale(times: Sequence[int]) -> _Scale:
    longest = max(times, default=1000)
    step = next((step for step in _STEPS_MS if longest / step <= 7), _STEPS_MS[-1])
    return _Scale(-(-longest // step) * step, step)


def _grid(scale: _Scale, top: int, bottom: int) -> Iterator[str]:
    for milliseconds in range(0, scale.longest_ms + 1, scale.step_ms):
        x = scale.x(milliseconds)
        yield f'<line class="grid" x1="{x}" y1="{top}" x2="{x}" y2="{bottom}"/>'
        yield f'<text class="note" x="{x}" y="{bottom + 16}" text-anchor="middle">{milliseconds:,}</text>'


def _group(title: str, rows: Sequence[_Row], scale: _Scale, top: int) -> Iterator[str]:
    yield f'<text class="group" x="16" y="{top + 16}">{escape(title)}</text>'
    for index, row in enumerate(rows):
        y = top + _TITLE + index * _ROW
        middle = y + _BAR / 2
        median, tail = scale.x(row.p50_ms), scale.x(row.p95_ms)
        yield f'<text x="{_LEFT - 10}" y="{y + 13}" text-anchor="end">{NAMES[row.contender]}</text>'
        yield bar(row.contender, _LEFT, median, y, _BAR)
        yield (
            f'<path class="{row.contender}" fill="none" stroke-width="2" '
            f'd="M{median} {middle}H{tail}M{tail} {middle - 5}v10"/>'
        )
        for figure, x in zip(_figures(row), _COLUMNS.values(), strict=True):
            yield _column(x, y + 13, "figure", figure)


def _column(x: float, y: float, style: str, text: str) -> str:
    return f'<text class="{style}" x="{x}" y="{y}" text-anchor="end">{escape(text)}</text>'


def _figures(row: _Row) -> tuple[str, str, str, str]:
    return f"{row.p50_ms:,}", f"{row.p95_ms:,}", f"{row.cut_off} of {row.turns}", str(row.missed)
