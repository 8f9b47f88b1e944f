"""The picture of a replay: who spoke when, what the VAD and the session took for speech, and each stage as a bar.

Time runs in rows, like music in systems: each row has all lanes, so that a long call can be read as a short one can.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.replay.performance import Performance
from agent.replay.result import ReplayedTurn
from agent.replay.sound import RATE
from agent.replay.svg import area, element, line, rect, text, title, waveform, wrap
from agent.replay.timeline_style import STYLE
from agent.replay.timeline_waits import panel, panel_height, waits_of
from agent.replay.trace import Span, Stage
from agent.turns import Channel, Speaker

WIDTH, LEFT, RIGHT, TOP = 1200, 84, 24, 76
PLOT = WIDTH - LEFT - RIGHT
LONGEST_ROW_S = 15
CHARACTER, LINE, LINES = 6.4, 15, 3

# The lanes of a row, from its top.
TYPED_WORDS = 18
CALLER_WORDS = 30
CALLER_MIDDLE, WAVE = 114, 60
VAD_BOTTOM, VAD = 170, 18
USER = 172
STAGES = {Stage.HEARING: 184, Stage.THINKING: 200, Stage.SPEAKING: 216}
BAR = 10
AGENT_MIDDLE = 262
AGENT_WORDS = 308
ROW = 372

LABELS = (
    (CALLER_MIDDLE + 4, "caller"),
    (VAD_BOTTOM - 6, "VAD"),
    (STAGES[Stage.HEARING] + 9, "hearing"),
    (STAGES[Stage.THINKING] + 9, "thinking"),
    (STAGES[Stage.SPEAKING] + 9, "speaking"),
    (AGENT_MIDDLE + 4, "agent"),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn.

    Args:
        name: of the recording.
        subtitle: one line below it.
        performance: what happened.
        turns: its turns.
        speech: the VAD's probability of speech on the caller's track, at equal distances.
    """

    name: str
    subtitle: str
    performance: Performance
    turns: Sequence[ReplayedTurn]
    speech: NDArray[np.float32]


def timeline(picture: Picture) -> str:
    """The picture as SVG, readable on a light and on a dark ground."""
    seconds = max(1.0, len(picture.performance.caller) / RATE)
    rows = math.ceil(seconds / LONGEST_ROW_S)
    row_s = math.ceil(seconds / rows)
    waits = waits_of(picture.turns, picture.performance.utterances)
    panel_top = TOP + rows * ROW
    height = panel_top + panel_height(waits)
    head = [
        element("style", {}, STYLE),
        rect(0, 0, WIDTH, height, "ground"),
        text(LEFT, 36, picture.name, "title"),
        text(LEFT, 58, picture.subtitle, "dim"),
    ]
    systems = [_Row(picture, number * row_s, row_s, TOP + number * ROW).draw() for number in range(rows)]
    if waits:
        systems.append(panel(waits, picture.performance.spans, LEFT, panel_top, PLOT))
    size = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDTH} {height}", "role": "img"}
    return (
        element("svg", {**size, "width": WIDTH}, title(f"{picture.name}: {picture.subtitle}"), *head, *systems) + "\n"
    )


class _Row:
    """One row: everything between two moments."""

    def __init__(self, picture: Picture, start: float, seconds: float, top: float) -> None:
        self._picture = picture
        self._performance = picture.performance
        self._start = start
        self._end = start + seconds
        self._top = top
        self._scale = PLOT / seconds

    def draw(self) -> str:
        return element("g", {}, *self._ground(), *self._waits(), *self._sound(), *self._stages(), *self._words())

    def _x(self, seconds: float) -> float:
        return LEFT + (min(max(seconds, self._start), self._end) - self._start) * self._scale

    def _y(self, lane: float) -> float:
        return self._top + lane

    def _shows(self, start: float, end: float) -> bool:
        return end > self._start and start < self._end

    def _ground(self) -> Iterator[str]:
        yield rect(LEFT, self._y(CALLER_MIDDLE - WAVE / 2), PLOT, WAVE, "panel", radius=6)
        yield rect(LEFT, self._y(AGENT_MIDDLE - WAVE / 2), PLOT, WAVE, "panel", radius=6)
        for second in range(math.ceil(self._start), math.floor(self._end) + 1):
            yield line(self._x(second), self._y(14), self._x(second), self._y(AGENT_MIDDLE + WAVE / 2), "grid")
            yield text(self._x(second), self._y(8), _clock(second), "tick", "middle")
        for lane, name in LABELS:
            yield text(LEFT - 10, self._y(lane), name, "label", "end")

    def _waits(self) -> Iterator[str]:
        """What the caller had to wait for, between the two voices."""
        for wait in waits_of(self._picture.turns, self._performance.utterances):
            if self._shows(wait.start, wait.end):
                x, width = self._x(wait.start), self._x(wait.end) - self._x(wait.start)
                top, bottom = self._y(CALLER_MIDDLE - WAVE / 2), self._y(AGENT_MIDDLE + WAVE / 2)
                label = f"{wait.reply.voice_to_voice_ms:,} ms"
                yield rect(x, top, width, bottom - top, "wait", title(label))
                if wait.end <= self._end:
                    yield text(x + width / 2, top - 6, label, "ms", "middle")

    def _sound(self) -> Iterator[str]:
        lanes = (
            (self._performance.caller, CALLER_MIDDLE, "caller"),
            (self._performance.agent, AGENT_MIDDLE, "agent"),
        )
        for track, lane, style in lanes:
            part = track[int(self._start * RATE) : int(self._end * RATE)]
            width = len(part) / RATE * self._scale
            yield waveform(part, LEFT, self._y(lane), width, WAVE - 6, style)
        speech = self._picture.speech
        per_second = len(speech) * RATE / max(1, len(self._performance.caller))
        shown = speech[int(self._start * per_second) : int(self._end * per_second)]
        width = len(shown) / per_second * self._scale
        yield area([float(p) for p in shown], LEFT, self._y(VAD_BOTTOM), width, VAD, "vad")

    def _stages(self) -> Iterator[str]:
        for span in self._performance.spans:
            if self._shows(span.start, span.end):
                yield self._bar(span)
        for heard in self._performance.transcripts:
            if self._start <= heard.at < self._end:
                yield element(
                    "circle",
                    {
                        "class": "final" if heard.final else "interim",
                        "cx": self._x(heard.at),
                        "cy": self._y(STAGES[Stage.HEARING] + BAR / 2),
                        "r": 4,
                    },
                    title(f"{heard.at:.2f} s: {heard.text}"),
                )

    def _bar(self, span: Span) -> str:
        x, width = self._x(span.start), max(2.0, self._x(span.end) - self._x(span.start))
        shown = title(f"{span.stage} {round((span.end - span.start) * 1000)} ms, from {span.start:.2f} s")
        if span.stage is Stage.USER:
            return rect(x, self._y(USER), width, 4, "user", shown, radius=2)
        style = f"{span.stage} discarded" if span.discarded else str(span.stage)
        return rect(x, self._y(STAGES[span.stage]), width, BAR, style, shown, radius=3)

    def _words(self) -> Iterator[str]:
        for speaker, lane in ((Speaker.USER, CALLER_WORDS), (Speaker.ASSISTANT, AGENT_WORDS)):
            turns = [t for t in self._picture.turns if t.speaker is speaker and t.channel is Channel.VOICE]
            limits = [*(turn.start for turn in turns[1:]), math.inf]
            for turn, limit in zip(turns, limits, strict=False):
                if self._shows(turn.start, max(turn.end, turn.start + 0.01)):
                    yield from self._caption(turn, lane, limit)
        for turn in self._picture.turns:
            if turn.channel is not Channel.VOICE and self._start <= turn.start < self._end:
                yield from self._typed(turn)
        for utterance in self._performance.utterances:
            if utterance.interrupted and self._start <= utterance.ended < self._end:
                x, half = self._x(utterance.ended), WAVE / 2
                yield line(x, self._y(AGENT_MIDDLE - half), x, self._y(AGENT_MIDDLE + half), "cut")
                yield text(x + 4, self._y(AGENT_MIDDLE - half + 11), "cut", "cut-word")

    def _typed(self, turn: ReplayedTurn) -> Iterator[str]:
        x = self._x(turn.start)
        yield line(x, self._y(TYPED_WORDS), x, self._y(CALLER_MIDDLE + WAVE / 2), "typed")
        yield text(x + 5, self._y(TYPED_WORDS + 4), f"typed: {turn.text}", "words-caller")

    def _caption(self, turn: ReplayedTurn, lane: float, limit: float) -> Iterator[str]:
        words = self._words_here(turn)
        x = self._x(turn.start)
        room = (self._x(limit) if limit < self._end else LEFT + PLOT) - x - 8
        width = max(60.0, min(max(self._x(turn.end) - x, 90.0), room))
        lines = wrap(words, width, CHARACTER, LINES)
        # The caller's words stand on their sound, the agent's hang below it.
        first = lane + (LINES - len(lines)) * LINE if turn.speaker is Speaker.USER else lane
        style = "words-caller" if turn.speaker is Speaker.USER else "words-agent"
        for number, part in enumerate(lines):
            yield text(x, self._y(first + number * LINE), part, style)

    def _words_here(self, turn: ReplayedTurn) -> str:
        """The words of a turn that fall into this row, if they came at an even pace."""
        words = turn.text.split()
        length = max(turn.end - turn.start, 0.01)
        first = round((max(self._start, turn.start) - turn.start) / length * len(words))
        last = round((min(self._end, turn.end) - turn.start) / length * len(words))
        here = " ".join(words[first : max(last, first + 1)])
        return f"… {here}" if first else here


def _clock(second: int) -> str:
    return f"{second // 60}:{second % 60:02}" if second >= 60 else f"{second} s"
