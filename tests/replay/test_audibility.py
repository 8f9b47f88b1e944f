"""When somebody is heard on a track, whatever its level and its noise."""

import numpy as np
import pytest

from agent.replay.audibility import audible_windows, last_before, stretches
from agent.replay.sound import RATE, Sound, silence
from tests.support.recordings import RECORDINGS


def burst(seconds: float, peak: int) -> Sound:
    """Something loud."""
    return np.asarray(peak * np.sin(np.arange(round(seconds * RATE)) * 0.3), np.float64).astype(np.int16)


def second(value: int = 0) -> Sound:
    """A second of one value."""
    return np.full(RATE, value, np.int16)


@pytest.mark.parametrize("peak", [200, 3000, 32000])
def test_speech_is_found_at_any_level(peak: int) -> None:
    """A whisper as well as a shout."""
    track = np.concatenate([second(), burst(0.5, peak), second()])
    ((start, end),) = stretches(audible_windows(track))
    assert (start, end) == pytest.approx((1.0, 1.5))


def test_noise_is_not_taken_for_speech() -> None:
    """Not even between two words."""
    noise = np.random.default_rng(1).normal(0, 100, 4 * RATE).astype(np.int16)
    noise[RATE : RATE + RATE // 2] += burst(0.5, 8000)
    ((start, end),) = stretches(audible_windows(noise))
    assert (start, end) == pytest.approx((1.0, 1.5), abs=0.02)


def test_silence_holds_nothing() -> None:
    """Neither does a track without samples."""
    assert not audible_windows(silence(RATE)).any()
    assert stretches(audible_windows(silence(0))) == []
    assert last_before(audible_windows(silence(RATE)), 1.0) is None


def test_the_last_sound_before_a_moment_is_found() -> None:
    """What comes after it does not count."""
    audible = audible_windows(np.concatenate([second(), burst(0.5, 5000), second(), burst(0.5, 5000)]))
    assert last_before(audible, 2.0) == pytest.approx(1.5, abs=0.011)
    assert last_before(audible, 1.2) == pytest.approx(1.2, abs=0.011)
    assert last_before(audible, 0.5) is None


def test_a_recording_of_words_ends_where_the_last_one_does() -> None:
    """The breath after it is no speech: the file is 3.3 s long, its words end before 2.9 s."""
    samples, rate = RECORDINGS["sense_and_sensibility_0930"].load()
    at = np.arange(0, len(samples), rate / RATE)
    track = np.interp(at, np.arange(len(samples)), samples).astype(np.int16)
    end = last_before(audible_windows(track), 3.3)
    assert end is not None
    assert 2.6 < end < 3.0
