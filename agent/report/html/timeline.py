"""The time line as SVG: two lanes like tracks of sound, each turn a clip, each letter a stroke, a vowel a tall one.

Time runs in rows, as music does in systems. Places along a row are shares of its width, so that the same drawing fits a
telephone and a wide screen without its words growing or shrinking.
"""

import math
from collections.abc import Iterator, Sequence

from agent.report.facts import State
from agent.report.happenings import Happening, Weight
from agent.report.html.markup import Markup, join, percent, tag
from agent.report.report import Report
from agent.report.reported_turn import ReportedTurn
from agent.report.wording import clock, duration, milliseconds
from agent.turns import Channel

ROW_SECONDS = (10, 15, 20, 30, 60, 120)
MOST_ROWS = 14
TICKS = {10: 1, 15: 1, 20: 2, 30: 5, 60: 10, 120: 20}

# The lanes of a row, in pixels from its top.
AXIS = 14
CALLER, LANE = 24, 40
BETWEEN, BRIDGE = 64, 22
ASSISTANT = 86
EVENTS = 138
HEIGHT = 152
RADIUS = 7
ENDS = {State.ENDED: "the end", State.RUNNING: "so far", State.LOST: "nothing is known after this"}
MOST_STROKES = 150
VOWELS = frozenset("aeiouyäöüáàâéèêíìîóòôúùûаеиоуыэюяё")
SHORTEST_SHARE = 0.006
# A label that would stand across the edge of a row stands inside it.
EDGE_SHARE = 0.03


def timeline(report: Report) -> Markup:
    """All rows; several without anything in them are one line that says so."""
    row_s = next((s for s in ROW_SECONDS if report.length_s / s <= MOST_ROWS), ROW_SECONDS[-1])
    rows = max(1, math.ceil(max(report.length_s, _last(report)) / row_s))
    drawn: list[Markup] = []
    quiet = 0
    for number in range(rows):
        row = _Row(report, number * row_s, row_s)
        if row.is_empty and rows > 1:
            quiet += 1
            continue
        drawn += _silence(quiet, row_s)
        quiet = 0
        drawn.append(row.draw())
    drawn += _silence(quiet, row_s)
    return tag("div", *drawn, class_="timeline")


def _silence(rows: int, row_s: int) -> list[Markup]:
    return [tag("p", f"{duration(rows * row_s)} without a word", class_="quiet")] if rows else []


def _last(report: Report) -> float:
    return max([0.0, *(turn.end_s for turn in report.turns), *(h.offset_s for h in report.happenings)])


class _Row:
    """Everything between two moments."""

    def __init__(self, report: Report, start: float, seconds: float) -> None:
        self._report = report
        self._start = start
        self._seconds = seconds
        self._end = start + seconds
        self._turns = [turn for turn in report.turns if turn.end_s >= start and turn.start_s < self._end]
        self._happenings = [h for h in report.happenings if start <= h.offset_s < self._end]

    @property
    def is_empty(self) -> bool:
        return not self._turns and not self._happenings

    def draw(self) -> Markup:
        name = f"{clock(self._start)} to {clock(self._end)}"
        parts = [*self._ground(), *self._waits(), *self._clips(), *self._marks()]
        return tag("svg", *parts, class_="row", height=HEIGHT, width="100%", role="group", aria_label=name)

    def _share(self, seconds: float) -> float:
        return min(1.0, max(0.0, (seconds - self._start) / self._seconds))

    def _x(self, seconds: float) -> str:
        return percent(self._share(seconds))

    def _ground(self) -> Iterator[Markup]:
        for top in (CALLER, ASSISTANT):
            yield tag("rect", x=0, y=top, width="100%", height=LANE, rx=RADIUS, class_="lane")
        if self._report.length_s < self._end:
            left = self._share(self._report.length_s)
            width = percent(1 - left)
            yield tag("rect", x=percent(left), y=CALLER, width=width, height=ASSISTANT + LANE - CALLER, class_="beyond")
            if left > 0:
                yield _line(percent(left), AXIS + 4, ASSISTANT + LANE, f"end {self._report.state}")
                words = ENDS[self._report.state]
                anchor, shift = ("end", -6) if left > 0.8 else ("start", 6)
                yield tag(
                    "text", words, x=percent(left), dx=shift, y=BETWEEN + 15, text_anchor=anchor, class_="end-word"
                )
        step = TICKS[int(self._seconds)]
        for tick in range(0, int(self._seconds) + 1, step):
            yield _line(percent(tick / self._seconds), AXIS + 4, ASSISTANT + LANE, "grid")
            anchor = "start" if tick == 0 else "end" if tick == self._seconds else "middle"
            words = clock(self._start + tick).removesuffix(".0")
            style = "tick" if tick % (step * 5) == 0 or tick == self._seconds else "tick minor"
            yield tag("text", words, x=percent(tick / self._seconds), y=AXIS - 2, text_anchor=anchor, class_=style)

    def _waits(self) -> Iterator[Markup]:
        """Between the lanes: what the caller had to wait for."""
        for turn in self._report.turns:
            if turn.wait_ms is None:
                continue
            begun = turn.start_s - turn.wait_ms / 1000
            if turn.start_s <= self._start or begun >= self._end:
                continue
            left, right = self._share(begun), self._share(turn.start_s)
            style = "wait slow" if turn.wait_ms > 2_000 else "wait"
            width = percent(max(right - left, SHORTEST_SHARE / 2))
            yield tag("rect", x=percent(left), y=BETWEEN, width=width, height=BRIDGE, class_=style)
            if right - left < turn.wait_ms / 1000 / self._seconds / 2:
                continue  # the larger part is in another row, and so are the words
            middle = (left + right) / 2
            anchor = "start" if middle < EDGE_SHARE else "end" if middle > 1 - EDGE_SHARE else "middle"
            words = milliseconds(turn.wait_ms)
            yield tag("text", words, x=percent(middle), y=BETWEEN + 15, text_anchor=anchor, class_="ms")

    def _clips(self) -> Iterator[Markup]:
        for turn in self._turns:
            top = CALLER if turn.is_callers else ASSISTANT
            first = turn.start_s >= self._start or self._start == 0
            drawn = self._typed(turn, top) if turn.turn.channel is not Channel.VOICE else self._spoken(turn, top)
            yield tag(
                "a",
                drawn,
                href=f"#turn-{turn.number}",
                class_=f"clip {'caller' if turn.is_callers else 'assistant'}",
                data_turn=turn.number,
                aria_label=describe(turn) if first else None,
                tabindex=None if first else "-1",
                aria_hidden=None if first else "true",
            )

    def _spoken(self, turn: ReportedTurn, top: int) -> Markup:
        left, right = self._share(turn.start_s), self._share(turn.end_s)
        width = max(right - left, SHORTEST_SHARE)
        left = min(left, 1 - width)
        style = "body" if turn.delivered_s is not None else "body undelivered"
        box = {"x": percent(left), "width": percent(width)}
        body = tag("rect", **box, y=top, height=LANE, rx=RADIUS, class_=style)
        whole = max(turn.end_s - turn.start_s, 1e-6)
        strokes = _strokes(turn.turn.text)
        first = int((max(turn.start_s, self._start) - turn.start_s) / whole * len(strokes))
        last = math.ceil((min(turn.end_s, self._end) - turn.start_s) / whole * len(strokes))
        words = _words(strokes[first : max(last, first + 1)], top, **box)
        cut = turn.turn.interrupted and turn.end_s <= self._end
        edge = percent(min(1.0, left + width))
        return join(body, words, _line(edge, top - 4, top + LANE + 4, "cut") if cut else None)

    def _typed(self, turn: ReportedTurn, top: int) -> Markup:
        middle = top + LANE // 2
        style = "body typed" if turn.delivered_s is not None else "body typed undelivered"
        x = percent(min(0.99, max(0.01, self._share(turn.start_s))))
        lines = [tag("line", x1=-6, x2=x2, y1=y, y2=y, class_="letter") for y, x2 in ((-4, 6), (0, 6), (4, 1))]
        card = tag("rect", x=-11, y=-11, width=22, height=22, rx=6, class_=style)
        return tag("svg", card, *lines, x=x, y=middle, overflow="visible", width=1, height=1)

    def _marks(self) -> Iterator[Markup]:
        for happening in self._happenings:
            yield tag(
                "a",
                _mark(happening, percent(min(0.995, max(0.005, self._share(happening.offset_s))))),
                href=f"#event-{happening.number}",
                class_=f"mark {happening.weight}",
                data_event=happening.number,
                aria_label=f"{clock(happening.offset_s)}: {happening.text}",
            )


def describe(turn: ReportedTurn) -> str:
    """A turn in one line, for whoever does not see the drawing."""
    who = "caller" if turn.is_callers else "assistant"
    how = "says" if turn.turn.channel is Channel.VOICE else "types" if turn.is_callers else "writes"
    cut = ", cut off" if turn.turn.interrupted else ""
    waited = f", after {milliseconds(turn.wait_ms)}" if turn.wait_ms is not None else ""
    return f"{clock(turn.start_s)}, {who} {how}{waited}{cut}: {turn.turn.text}"


def _mark(happening: Happening, x: str) -> Markup:
    shape = "M0 -7 L7 5 L-7 5 Z" if happening.weight in (Weight.BAD, Weight.WARNING) else "M0 -6 L6 0 L0 6 L-6 0 Z"
    hit = tag("rect", x=-12, y=-12, width=24, height=24, class_="hit")
    drawn = tag("path", d=shape, class_="sign")
    return tag("svg", hit, drawn, x=x, y=EVENTS, overflow="visible", width=1, height=1)


def _line(x: str, top: float, bottom: float, style: str) -> Markup:
    return tag("line", x1=x, x2=x, y1=top, y2=bottom, class_=style)


def _strokes(text: str) -> list[float]:
    """How tall each letter stands, from 0 to 1, with a gap between words; of a long text some letters stand for all."""
    heights = [height for word in text.split() for height in (*_letters(word), 0.0)][:-1] or [0.3]
    if len(heights) <= MOST_STROKES:
        return heights
    step = len(heights) / MOST_STROKES
    return [heights[int(i * step)] for i in range(MOST_STROKES)]


def _letters(word: str) -> Iterator[float]:
    """A word swells and fades; its vowels sound loudest."""
    for place, letter in enumerate(word[:24]):
        swell = math.sin(math.pi * (place + 0.8) / (min(len(word), 24) + 0.6))
        yield (0.95 if letter.lower() in VOWELS else 0.55) * (0.35 + 0.65 * swell)


def _words(strokes: Sequence[float], top: int, x: str, width: str) -> Markup:
    """The strokes on a line of their own that is stretched over the clip."""
    path = "".join(
        f"M{place + 0.5:g} {50 - 40 * height:.0f}V{50 + 40 * height:.0f}"
        for place, height in enumerate(strokes)
        if height
    )
    drawn = tag("path", d=path, class_="words", vector_effect="non-scaling-stroke")
    box = f"0 0 {len(strokes)} 100"
    return tag("svg", drawn, x=x, width=width, y=top, height=LANE, viewBox=box, preserveAspectRatio="none")
