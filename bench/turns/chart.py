"""A picture of waits and cut-offs; pure."""

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from bench.picture import WIDTH, bar, picture
from bench.turns.policies import PIPECAT, STOCK, THIS_AGENT, WITHOUT_MODEL, Outcome

_WAITS, _CUTS = (222, 530), (590, 740)  # from where to where the bars of each panel may reach
_TOP, _ROW, _BAR = 92, 30, 16
_LONGEST_MS, _STEP_MS = 3000, 1000
_STYLES = {THIS_AGENT: "ours", STOCK: "stock"}
_SHOWN = ("silence alone, 0.5 s", "silence alone, 1.0 s", STOCK, PIPECAT, WITHOUT_MODEL, THIS_AGENT)
_NAMES = {WITHOUT_MODEL: "this agent, no sentence model"}


def draw(outcomes: Mapping[str, Outcome]) -> str:
    """Waits after finished sentences (bar: mean, line: 95th percentile) beside the share of pauses that are cut into.

    Args:
        outcomes: of the half that was not fitted on, by the names of the policies; those that are not there are left
            out.
    """
    rows = [(name, outcomes[name]) for name in _SHOWN if name in outcomes]
    bottom = _TOP + _ROW * len(rows)
    parts = [
        '<text class="note" x="16" y="47">on the half of the recordings that nothing was fitted on</text>',
        f'<text x="{_WAITS[0]}" y="76">wait in ms: mean, and line to the 95th percentile</text>',
        f'<text x="{_CUTS[0]}" y="76">pauses cut into</text>',
        *_grid(bottom),
    ]
    for index, (name, found) in enumerate(rows):
        parts += _row(name, found, _TOP + index * _ROW)
    title = "How long people wait, and how often they are cut off"
    return picture(title, "Waits after finished sentences and cut-offs in pauses", bottom + 34, parts)


def _grid(bottom: int) -> Iterator[str]:
    ticks = [(_wait_x(at), f"{at:,}") for at in range(0, _LONGEST_MS + 1, _STEP_MS)]
    ticks += [(_cut_x(share), f"{share:.0%}") for share in (0.0, 0.5, 1.0)]
    for x, label in ticks:
        yield f'<line class="grid" x1="{x}" y1="{_TOP - 6}" x2="{x}" y2="{bottom}"/>'
        yield f'<text class="note" x="{x}" y="{bottom + 18}" text-anchor="middle">{label}</text>'


def _row(name: str, found: Outcome, y: int) -> Iterator[str]:
    style, middle = _STYLES.get(name, "other"), y + _BAR / 2
    mean, tail = _wait_x(found.wait_mean_ms), _wait_x(found.wait_p95_ms)
    yield f'<text x="{_WAITS[0] - 10}" y="{y + 13}" text-anchor="end">{escape(_NAMES.get(name, name))}</text>'
    yield bar(style, _WAITS[0], mean, y, _BAR)
    yield f'<path class="{style}" fill="none" stroke-width="2" d="M{mean} {middle}H{tail}M{tail} {middle - 5}v10"/>'
    yield bar(style, _CUTS[0], _cut_x(found.cut), y, _BAR)
    yield f'<text x="{WIDTH - 16}" y="{y + 13}" text-anchor="end">{found.cut:.0%}</text>'


def _wait_x(milliseconds: float) -> float:
    return _at(_WAITS, milliseconds / _LONGEST_MS)


def _cut_x(share: float) -> float:
    return _at(_CUTS, share)


def _at(panel: tuple[int, int], share: float) -> float:
    return round(panel[0] + min(1.0, share) * (panel[1] - panel[0]), 1)
