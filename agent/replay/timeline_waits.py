"""The last part of the picture: what each wait for a reply was spent on, all from the caller's last sound on."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.replay.loudspeaker import Utterance
from agent.replay.result import ReplayedTurn
from agent.replay.svg import element, line, rect, text, title
from agent.replay.trace import Span, Stage
from agent.turns import Speaker

HEAD, ROW, BAR = 64, 46, 7
STEP_MS = 250
STYLES = (
    ("end of turn", "turn"),
    ("hearing", Stage.HEARING),
    ("thinking", Stage.THINKING),
    ("speaking", Stage.SPEAKING),
)


@dataclass(frozen=True, slots=True)
class Wait:
    """One wait for a spoken reply, in seconds on the tape.

    Args:
        question: what is answered.
        reply: the answer.
        start: the caller's last audible sample.
        end: the reply's first one.
    """

    question: ReplayedTurn
    reply: ReplayedTurn
    start: float
    end: float


def waits_of(turns: Sequence[ReplayedTurn], utterances: Sequence[Utterance]) -> list[Wait]:
    """The waits of a replay, in order."""
    waits = []
    for turn in turns:
        spoken = [u for u in utterances if turn.speaker is Speaker.ASSISTANT and abs(u.began - turn.start) < 0.06]
        if turn.voice_to_voice_ms is not None and turn.reply_to is not None and spoken and spoken[0].audible:
            end = spoken[0].audible
            waits.append(Wait(turns[turn.reply_to - 1], turn, end - turn.voice_to_voice_ms / 1000, end))
    return waits


def panel_height(waits: Sequence[Wait]) -> float:
    """How high the panel is; nothing without waits."""
    return HEAD + ROW * len(waits) + 16 if waits else 0.0


def panel(waits: Sequence[Wait], spans: Sequence[Span], left: float, top: float, width: float) -> str:
    """The panel: a row for each wait, a bar for each stage.

    Args:
        waits: the waits.
        spans: the models' work.
        left: where its time begins.
        top: where it begins.
        width: of its time.
    """
    longest = max((wait.end - wait.start for wait in waits), default=0.0) * 1000
    steps = max(1, math.ceil(longest / STEP_MS))
    drawing = _Panel(waits, spans, left, top, width * 0.62 / (steps * STEP_MS), steps)
    return element("g", {}, *drawing.draw())


class _Panel:
    def __init__(
        self, waits: Sequence[Wait], spans: Sequence[Span], left: float, top: float, scale: float, steps: int
    ) -> None:
        self._waits = waits
        self._spans = spans
        self._left = left
        self._top = top
        self._scale = scale  # pixels for each millisecond
        self._steps = steps

    def draw(self) -> Iterator[str]:
        yield text(self._left, self._top + 14, "From the caller's last sound to the agent's first", "heading")
        yield from self._legend()
        bottom = self._top + HEAD + ROW * len(self._waits) - 10
        for step in range(self._steps + 1):
            x = self._left + step * STEP_MS * self._scale
            yield line(x, self._top + HEAD - 12, x, bottom, "grid")
            yield text(x, self._top + HEAD - 18, f"{step * STEP_MS:,} ms", "tick", "middle")
        for number, wait in enumerate(self._waits):
            yield from self._row(wait, self._top + HEAD + number * ROW)

    def _legend(self) -> Iterator[str]:
        x = self._left + 400
        for name, style in STYLES:
            yield rect(x, self._top + 6, 14, BAR, str(style), radius=3)
            yield text(x + 20, self._top + 14, name, "label")
            x += 40 + 6.2 * len(name)

    def _row(self, wait: Wait, top: float) -> Iterator[str]:
        end_of_turn = wait.question.latency.end_of_turn_ms or 0
        yield self._bar(wait, wait.start, wait.question.end + end_of_turn / 1000, top, "turn", "end of turn")
        for span in self._spans:
            lanes = {Stage.HEARING: 1, Stage.THINKING: 2, Stage.SPEAKING: 3}
            if span.stage in lanes and span.end > wait.start and span.start < wait.end:
                lane = top + lanes[span.stage] * (BAR + 1)
                yield self._bar(wait, span.start, span.end, lane, str(span.stage), str(span.stage))
        x = self._left + (wait.end - wait.start) * 1000 * self._scale
        yield line(x, top - 2, x, top + 4 * (BAR + 1), "heard")
        yield text(x + 8, top + 13, f"{wait.reply.voice_to_voice_ms:,} ms", "ms")
        yield text(x + 8, top + 28, _short(wait.reply.text), "label")
        yield text(self._left - 10, top + 20, f"{wait.end:.1f} s", "label", "end")

    def _bar(self, wait: Wait, start: float, end: float, y: float, style: str, name: str) -> str:
        first, last = max(start, wait.start), min(end, wait.end)
        x = self._left + (first - wait.start) * 1000 * self._scale
        width = max(2.0, (last - first) * 1000 * self._scale)
        return rect(x, y, width, BAR, style, title(f"{name}: {round((end - start) * 1000)} ms"), radius=3)


def _short(words: str) -> str:
    return words if len(words) <= 48 else f"{words[:47]}…"
