"""What a recogniser hears that is asked before there is enough silence."""

import numpy as np
from livekit import rtc

from plugins.trailing_silence import with_silence

RATE = 16_000


def frame(*samples: int) -> rtc.AudioFrame:
    """One short window."""
    return rtc.AudioFrame(np.array(samples, np.int16).tobytes(), RATE, 1, len(samples))


def heard(frames: list[rtc.AudioFrame]) -> list[int]:
    """All samples in order."""
    return [int(sample) for each in frames for sample in np.frombuffer(each.data, np.int16)]


def test_the_rooms_own_sound_goes_on_to_and_fro() -> None:
    """Neither a click nor digital silence, and as long as is wanted."""
    found = with_silence([frame(9, 9), frame(1, 2, 3)], silence=3 / RATE, wanted=10 / RATE)
    assert heard(found) == [9, 9, 1, 2, 3, 3, 2, 1, 1, 2, 3, 3]


def test_enough_silence_stays_as_it_is() -> None:
    """So does speech that goes on, and nothing at all."""
    frames = [frame(1, 2, 3)]
    for silence in (0.0, 0.2):
        assert heard(with_silence(frames, silence, 0.1)) == [1, 2, 3]
    assert with_silence([], 0.05, 0.1) == []
