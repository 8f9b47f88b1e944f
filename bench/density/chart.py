"""A picture of the results for the README; pure."""

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from bench.density.summary import CONTENDERS
from bench.picture import NAMES, WIDTH, bar, picture

_LEFT, _RIGHT, _TOP = 110, 150, 52
_ROW, _BAR, _GROUP_GAP, _TITLE = 28, 16, 18, 26
_GROUPS = {
    "calls_per_core": "Calls per core (more is better)",
    "cpu_per_call": "CPU per call, in % of a core (less is better)",
    "pss_mb_per_call": "Memory per call, in MB (less is better)",
}


def draw(found: dict[str, Any]) -> str:
    """The results, as `results` makes them, as SVG: a bar for each figure of each contender."""
    body: list[str] = []
    top = _TOP
    for name, title in _GROUPS.items():
        known = {who: found[who][name] for who in CONTENDERS if found[who][name] is not None}
        if known:
            body += _group(name, title, known, found, top)
            top += _TITLE + _ROW * len(known) + _GROUP_GAP
    height = top + 22
    machine = found["machine"]
    note = f"On {machine['cores']} cores ({machine['cpu']}), one of them for the worker; models of a fixed delay."
    body.append(f'<text class="note" x="16" y="{height - 10}">{escape(note)}</text>')
    title = "What a call costs: a turn every ten seconds, answered in time"
    return picture(title, "Calls per core, CPU and memory per call", height, body)


def _group(name: str, title: str, known: dict[str, float], found: dict[str, Any], top: int) -> Iterator[str]:
    yield f'<text class="group" x="16" y="{top + 16}">{escape(title)}</text>'
    longest = max(*known.values(), 1e-9)
    for index, (who, value) in enumerate(known.items()):
        y = top + _TITLE + index * _ROW
        width = round(max(0.0, value) / longest * (WIDTH - _LEFT - _RIGHT), 1)
        yield f'<text x="{_LEFT - 10}" y="{y + 13}" text-anchor="end">{NAMES[who]}</text>'
        yield bar(who, _LEFT, _LEFT + width, y, _BAR)
        label = _label(name, value, limit_found=found[who]["limit_found"])
        yield f'<text x="{_LEFT + width + 8:.1f}" y="{y + 13}">{escape(label)}</text>'


def _label(name: str, value: float, *, limit_found: bool) -> str:
    if name == "calls_per_core":
        return f"{value:g}" if limit_found else f"{value:g} or more"
    return f"{value * 100:.1f} %" if name == "cpu_per_call" else f"{value:.0f} MB"
