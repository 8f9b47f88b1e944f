"""A picture of the results for the documents; pure."""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from bench.density.summary import CONTENDERS
from bench.picture import NAMES, WIDTH, bar, picture
from bench.profile import stages

_LEFT, _RIGHT, _TOP = 110, 90, 52
_ROW, _BAR = 40, 26
_LINE, _FIGURES = 24, (WIDTH - 120, WIDTH - 40)
# What belongs together has one colour; what is in no group is "the rest".
_GROUPS = {
    "hearing: sound in, voice activity": (stages.AUDIO_IN, stages.VAD),
    "understanding: end of turn, words": (stages.TURN, stages.WORDS),
    "answering: model, voice, sound out": (stages.ANSWER, stages.VOICE, stages.AUDIO_OUT),
    "showing: captions, session events": (stages.CAPTIONS, stages.EVENTS),
    "keeping: conversation, journal, logs": (stages.TALK, stages.RECORDS, stages.LOGS),
    "event loop, its monitor, FFI": (stages.LOOP, stages.MONITOR, stages.FFI),
    "tokio": (stages.TOKIO,),
    "WebRTC": stages.WEBRTC,
}
_REST = "the rest"
# Middle tones that stand out on white and on black.
_COLOURS = ("#1a7f64", "#4aa3df", "#bf6a02", "#d9a441", "#8a63d2", "#c4527d", "#6e7781", "#9aa4ae", "#57606a")


def draw(found: Mapping[str, Any]) -> str:
    """The results, as `results` makes them, as SVG: a bar for each contender, in parts, and what they are."""
    sums = {who: _grouped(found[who]["stages"]) for who in CONTENDERS}
    longest = max(sum(groups.values()) for groups in sums.values())
    body: list[str] = []
    for index, who in enumerate(CONTENDERS):
        body += _bar(who, sums[who], (WIDTH - _LEFT - _RIGHT) / longest, _TOP + index * _ROW)
    top = _TOP + len(CONTENDERS) * _ROW + 30
    body += _legend(sums, top)
    height = top + (len(_GROUPS) + 1) * _LINE + 30
    machine = found["machine"]
    note = f"{found['calls']} talkative calls on one core of {machine['cores']} ({machine['cpu']})."
    body.append(f'<text class="note" x="16" y="{height - 12}">{escape(note)}</text>')
    title = "What a call's CPU goes into, in % of a core"
    return picture(title, "CPU per call by stage, this agent and stock", height, [_colours(), *body])


def _grouped(costs: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    cores = {stage: cost["cores"] for stage, cost in costs.items()}
    sums = {group: sum(cores.get(stage, 0.0) for stage in members) for group, members in _GROUPS.items()}
    return {**sums, _REST: max(0.0, sum(cores.values()) - sum(sums.values()))}


def _colours() -> str:
    rules = " ".join(f".part{index} {{ fill: {colour}; }}" for index, colour in enumerate(_COLOURS))
    return f"<style>{rules}</style>"


def _bar(who: str, groups: Mapping[str, float], scale: float, y: int) -> Iterator[str]:
    yield f'<text x="{_LEFT - 10}" y="{y + 18}" text-anchor="end">{NAMES[who]}</text>'
    x = float(_LEFT)
    for index, cores in enumerate(groups.values()):
        end = round(x + cores * scale, 1)
        yield bar(f"part{index}", x, end, y, _BAR)
        x = end
    yield f'<text x="{x + 8}" y="{y + 18}">{sum(groups.values()) * 100:.1f} %</text>'


def _legend(sums: Mapping[str, Mapping[str, float]], top: int) -> Iterator[str]:
    for who, x in zip(CONTENDERS, _FIGURES, strict=True):
        yield f'<text class="note" x="{x}" y="{top - 6}" text-anchor="end">{NAMES[who]}</text>'
    for index, group in enumerate((*_GROUPS, _REST)):
        y = top + index * _LINE
        yield bar(f"part{index}", _LEFT, _LEFT + 14, y, 14)
        yield f'<text x="{_LEFT + 24}" y="{y + 12}">{escape(group)}</text>'
        for who, x in zip(CONTENDERS, _FIGURES, strict=True):
            yield f'<text x="{x}" y="{y + 12}" text-anchor="end">{sums[who][group] * 100:.2f}</text>'
