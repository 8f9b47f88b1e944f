"""Recordings as what is played: cut to the speech, with pauses put in between words."""

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.support.caller import resample
from tests.support.recordings import SPOKEN, Recording, Span

Samples = NDArray[np.int16]

RATE = 16_000
PAUSE_S = (0.4, 1.2)
# A sentence of this length gets a second pause.
LONG_S = 3.0
# Two pauses in one sentence are at least this far apart, in seconds of speech.
APART_S = 0.8
# What is played before and after the speech; the recording's own, its room tone where that is too short.
LEAD_S = 0.2
TAIL_S = 3.0
_TONE_S = 0.06
_FADE_S = 0.005
_FAINT = 8


@dataclass(frozen=True)
class Clip:
    """One utterance to be played: 16 kHz mono, from shortly before the first sound to seconds after the last one.

    What follows the speech is as important as the speech: a detector of the turn's end listens to it. With digital
    silence right after the last audible sample livekit's v1-mini takes 36 % of these finished sentences for
    unfinished, with the recording's own fading out and silence 6 % (300 ms after the end).

    Attributes:
        recording: where it is from.
        samples: what is played.
        ends_at: when the last audible sample is played, in seconds from the beginning of the clip.
        pauses: the pauses that were put in, in seconds from the beginning of the clip.
    """

    recording: Recording
    samples: Samples
    ends_at: float
    pauses: tuple[Span, ...] = ()

    @property
    def name(self) -> str:
        """The name of the recording."""
        return self.recording.name


def load(recording: Recording) -> Samples:
    """The whole recording at 16 kHz."""
    samples, rate = recording.load()
    return resample(samples, rate, RATE)


def plain_clips() -> list[Clip]:
    """Every recording of a finished sentence, in the order of the names."""
    return [_clip(recording, ()) for recording in _finished()]


def clips_with_pauses(seed: int) -> list[Clip]:
    """The finished sentences that have gaps between words, with a pause in one or two of them; the seed chooses."""
    choice = random.Random(seed)
    clips = []
    for recording in _finished():
        if not recording.gaps:
            continue
        first = choice.choice(recording.gaps)
        places = [first]
        others = [gap for gap in recording.gaps if abs(gap - first) >= APART_S]
        if speech(recording).seconds >= LONG_S and others:
            places.append(choice.choice(others))
        clips.append(_clip(recording, tuple((place, choice.uniform(*PAUSE_S)) for place in sorted(places))))
    return clips


def speech(recording: Recording) -> Span:
    """Where the speech is; every recording in which somebody speaks has the label."""
    assert recording.speech is not None
    return recording.speech


def room_tone(samples: Samples, seconds: float) -> Samples:
    """So many seconds of the recording's own silence, so that a pause does not sound cut.

    It is the recording's quietest 60 ms, played to and fro; where these are digital silence, which no microphone sends,
    faint noise (-72 dB of full scale).

    Args:
        samples: the recording at 16 kHz.
        seconds: how much of it.
    """
    window = int(_TONE_S * RATE)
    energy = np.convolve(samples.astype(np.float64) ** 2, np.ones(window), mode="valid")
    start = int(np.argmin(energy))
    tone = samples[start : start + window]
    if not tone.any():
        tone = np.random.default_rng(0).integers(-_FAINT, _FAINT + 1, RATE).astype(np.int16)
    there_and_back = np.concatenate([tone, tone[::-1]])
    wanted = int(seconds * RATE)
    return np.tile(there_and_back, wanted // len(there_and_back) + 1)[:wanted]


def faded(samples: Samples, *, at_start: bool = False, at_end: bool = False) -> Samples:
    """The same with 5 ms of fade, so that a cut does not click."""
    shaped = samples.astype(np.float64)
    size = min(int(_FADE_S * RATE), len(shaped))
    if at_start:
        shaped[:size] *= np.linspace(0, 1, size)
    if at_end:
        shaped[len(shaped) - size :] *= np.linspace(1, 0, size)
    result: Samples = shaped.astype(np.int16)
    return result


def _finished() -> list[Recording]:
    return [recording for _, recording in sorted(SPOKEN.items()) if recording.finished]


def _clip(recording: Recording, pauses: tuple[tuple[float, float], ...]) -> Clip:
    samples = load(recording)
    span = speech(recording)
    begin = max(0, int((span.start - LEAD_S) * RATE))
    parts: list[Samples] = []
    spans: list[Span] = []
    for place, seconds in pauses:
        cut = int(place * RATE)
        parts.append(faded(samples[begin:cut], at_start=bool(parts), at_end=True))
        start = sum(len(part) for part in parts) / RATE
        spans.append(Span(start, start + seconds))
        parts.append(room_tone(samples, seconds))
        begin = cut
    end = int(span.end * RATE)
    ends_at = (sum(len(part) for part in parts) + end - begin) / RATE
    after = max(0.0, TAIL_S - (len(samples) - end) / RATE)
    parts += [faded(samples[begin:], at_start=bool(parts)), room_tone(samples, after)]
    return Clip(recording, np.concatenate(parts), ends_at, tuple(spans))
