"""What became of the agent's speech when it was disturbed, from what arrived at the listener; pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from bench.percentiles import percentile
from tests.support.wer import words

# Silence of this length is no pause of the voice itself: those between the parts of a sentence last 0.38 s.
SILENT_S = 0.5
# An agent that is silent for this long has stopped; the answer to the shortest sentence comes later.
STOPPED_S = 0.8
# What begins later than this after the disturbance has nothing to do with it.
WATCHED_S = 4.0

# A recogniser spells "weasels" otherwise; what is less alike is another word.
ALIKE = 0.4

Fate = Literal["went on", "paused", "stopped"]


@dataclass(frozen=True)
class Interruption:
    """A sentence that was spoken into the agent's speech.

    Attributes:
        contender: who was interrupted.
        recording: what was said.
        silent_ms: from its first audible sample that left to the last one of the agent's that arrived; None when the
            agent did not stop.
        first_word: whether its first word is in the transcript.
        heard: the transcript.
    """

    contender: str
    recording: str
    silent_ms: int | None
    first_word: bool
    heard: str


@dataclass(frozen=True)
class Disturbed:
    """A sound that was made while the agent spoke.

    Attributes:
        contender: who was disturbed.
        recording: the sound.
        fate: whether the agent went on, paused and went on where it was, or stopped for good.
        silent_ms: how long it was silent then, where it went on.
        heard: what the sound was taken for, where it was taken for words.
    """

    contender: str
    recording: str
    fate: Fate
    silent_ms: int
    heard: str


def silences(audible: Sequence[float], least_s: float) -> list[tuple[float, float]]:
    """The stretches in which nothing audible arrived, as start and end in seconds.

    Args:
        audible: when something audible arrived.
        least_s: shorter ones are no stretches.
    """
    return [(before, after) for before, after in pairwise(audible) if after - before >= least_s]


def fell_silent_ms(audible: Sequence[float], onset: float) -> int | None:
    """How long after a moment the agent fell silent; None when it did not within the time that is watched."""
    ends = [start for start, end in silences([*audible, float("inf")], STOPPED_S) if end > onset]
    if not ends or ends[0] - onset > WATCHED_S:
        return None
    return max(0, round((ends[0] - onset) * 1000))


def fate_of(audible: Sequence[float], onset: float, end: float, *, answered: bool) -> tuple[Fate, int]:
    """What became of the speech, and how long the agent was silent.

    Args:
        audible: when something audible of the agent arrived.
        onset: when the sound began.
        end: when it ended.
        answered: whether it was taken for something that was said.
    """
    gaps = [gap for gap in silences(audible, SILENT_S) if onset <= gap[0] <= end + WATCHED_S]
    longest = max((after - before for before, after in gaps), default=0.0)
    if answered or (audible and audible[-1] < end):
        return "stopped", 0
    return ("paused", round(longest * 1000)) if gaps else ("went on", 0)


def has_first_word(said: str, heard: str) -> bool:
    """Whether the first word of what was said, or one like it, is among the first two that were heard."""
    first = words(said)[0]
    return any(SequenceMatcher(None, first, word).ratio() >= ALIKE for word in words(heard)[:2])


def summarise(interruptions: Sequence[Interruption], disturbed: Sequence[Disturbed]) -> dict[str, Any]:
    """The figures of one contender."""
    times = [one.silent_ms for one in interruptions if one.silent_ms is not None]
    fates = [one.fate for one in disturbed]
    pauses = [one.silent_ms for one in disturbed if one.fate == "paused"]
    return {
        "p50_ms": round(percentile(times, 50)) if times else None,
        "p95_ms": round(percentile(times, 95)) if times else None,
        "missed": len(interruptions) - len(times),
        "interruptions": len(interruptions),
        "first_words": sum(one.first_word for one in interruptions),
        "sounds": {fate: fates.count(fate) for fate in ("went on", "paused", "stopped")},
        "pause_ms": round(median(pauses)) if pauses else None,
    }


def to_rows(items: Sequence[Interruption | Disturbed]) -> list[dict[str, Any]]:
    """The members by name, for JSON."""
    return [asdict(item) for item in items]
