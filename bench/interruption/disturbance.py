"""What is played into the agent's speech: sentences that shall stop it, and sounds that shall not."""

import random
from dataclasses import dataclass

from agent.replay.sound import RATE as SOUND_RATE
from bench.clips import RATE, Clip, Samples, plain_clips, speech
from tests.scenes.clips import audible_part, load_clip, sound_names
from tests.support.caller import resample

# Shorter ones are over before the slower contender has noticed them.
SHORTEST_S = 1.2
LONGEST_S = 4.5


@dataclass(frozen=True)
class Disturbance:
    """One recording to be played into the agent's speech.

    Attributes:
        name: of the recording.
        samples: 16 kHz mono.
        onset: when its first audible sample is played, in seconds from the beginning.
        end: when its last one is.
        words: what is said; "" for a sound.
    """

    name: str
    samples: Samples
    onset: float
    end: float
    words: str


def sentences(count: int, seed: int) -> list[Disturbance]:
    """So many sentences that the local model understands; the seed chooses which and their order."""
    usable = [
        clip
        for clip in plain_clips()
        if clip.recording.is_understood and SHORTEST_S <= speech(clip.recording).seconds <= LONGEST_S
    ]
    return [_sentence(clip) for clip in random.Random(seed).sample(usable, min(count, len(usable)))]


def sounds() -> list[Disturbance]:
    """The hums, coughs and doors of tests/audio/sounds."""
    found = []
    for name in sorted(sound_names()):
        samples = load_clip(name)
        onset, end = audible_part(samples)
        found.append(Disturbance(name, resample(samples, SOUND_RATE, RATE), onset, end, ""))
    return found


def _sentence(clip: Clip) -> Disturbance:
    onset = clip.ends_at - speech(clip.recording).seconds
    return Disturbance(clip.name, clip.samples, onset, clip.ends_at, clip.recording.transcript)
