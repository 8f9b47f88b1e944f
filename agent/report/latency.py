"""How long the stages of the replies took: pure sums over the turns."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from agent.turns import Latency, Turn

SUFFIX = "_ms"
NAMES = {
    "transcription": "transcript after the end of speech",
    "end_of_turn": "decision that the turn is over",
    "silence": "silence that was waited for",
    "llm_first_token": "first words of the model",
    "tts_first_byte": "first sound of the voice",
    "total": "end of speech to the reply",
}


@dataclass(frozen=True, slots=True)
class StageLatency:
    """One stage over all turns that know it, in milliseconds.

    Attributes:
        stage: its name in `agent.turns.Latency`, without the unit.
        name: for people.
        turns: how many turns know it.
    """

    stage: str
    name: str
    turns: int
    p50_ms: int
    p95_ms: int
    longest_ms: int


def latencies(turns: Iterable[Turn]) -> tuple[StageLatency, ...]:
    """Each stage that any turn knows, in the order in which they come."""
    known = list(turns)
    found = []
    for field in fields(Latency):
        if field.name.endswith(SUFFIX):
            values = [value for turn in known if (value := getattr(turn.latency, field.name)) is not None]
            if values:
                found.append(_stage(field.name.removesuffix(SUFFIX), sorted(values)))
    return tuple(found)


def percentile(ordered: Sequence[int], share: float) -> int:
    """The smallest value that at least this share of the values does not exceed (nearest rank); at least one value."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _stage(stage: str, ordered: list[int]) -> StageLatency:
    return StageLatency(
        stage=stage,
        name=NAMES.get(stage, stage.replace("_", " ")),
        turns=len(ordered),
        p50_ms=percentile(ordered, 0.5),
        p95_ms=percentile(ordered, 0.95),
        longest_ms=ordered[-1],
    )
