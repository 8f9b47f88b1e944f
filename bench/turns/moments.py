"""The moments at which somebody stops speaking: at the end of a sentence, or in the middle of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.clips import RATE, Samples, faded, load, room_tone, speech
from tests.support.recordings import SPOKEN, Half, Recording

DELAYS_MS = (150, 200, 300, 500)
# A recording with many words would count more than all others.
MOST_GAPS = 3
_TAIL_S = max(DELAYS_MS) / 1000 + 0.1

Kind = Literal["end", "unfinished_end", "pause", "inserted_pause"]


@dataclass(frozen=True)
class Moment:
    """One stop.

    Attributes:
        recording: its name.
        half: the half of the set that it belongs to.
        kind: a sentence's end; the end of a recording whose sentence is not finished; a pause that the speaker made;
            one that was put in between two words.
        at: when the speech stops, in seconds from the beginning of `audio`.
        pause: how long the pause lasts in seconds; None at an end, and where a pause of any length could be put in.
        audio: from shortly before the speech to `at` and what can be heard after it, 16 kHz.
    """

    recording: str
    half: Half
    kind: Kind
    at: float
    pause: float | None
    audio: Samples

    @property
    def is_end(self) -> bool:
        """Whether the turn is over: an answer is due."""
        return self.kind == "end"

    def has(self, delay_ms: int) -> bool:
        """Whether it is still silent so many milliseconds after the stop."""
        return self.pause is None or self.pause >= delay_ms / 1000

    def heard(self, delay_ms: int) -> Samples:
        """What has been heard so many milliseconds after the stop."""
        return self.audio[: int((self.at + delay_ms / 1000) * RATE)]


def find_moments() -> list[Moment]:
    """All stops of all recordings, in the order of the names."""
    moments: list[Moment] = []
    for _, recording in sorted(SPOKEN.items()):
        moments += _moments(recording)
    return moments


def spread(places: Sequence[float], most: int) -> list[float]:
    """At most so many of the places, evenly spread."""
    if len(places) <= most:
        return list(places)
    return [places[round(index * (len(places) - 1) / (most - 1))] for index in range(most)]


def _moments(recording: Recording) -> list[Moment]:
    samples = load(recording)
    span = speech(recording)
    assert recording.half is not None
    start = max(0, int((span.start - 0.3) * RATE))
    tail = room_tone(samples, _TAIL_S)

    def moment(kind: Kind, at: float, audio: Samples, pause: float | None = None) -> Moment:
        assert recording.half is not None
        return Moment(recording.name, recording.half, kind, at - start / RATE, pause, audio)

    end = np.concatenate([samples[start:], tail])
    found = [moment("end" if recording.finished else "unfinished_end", span.end, end)]
    for pause in recording.pauses:
        found.append(moment("pause", pause.start, samples[start:], pause.seconds))
    for gap in spread(recording.gaps, MOST_GAPS):
        before = faded(samples[start : int(gap * RATE)], at_end=True)
        found.append(moment("inserted_pause", gap, np.concatenate([before, tail])))
    return found
