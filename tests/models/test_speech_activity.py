"""Where a long recording is cut: at its pauses, into pieces that the model was made for."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.dev.models.speech_activity import PIECE_MAX_S, PIECE_MIN_S, WINDOW_S, cut_points

LONGEST, SHORTEST = int(PIECE_MAX_S / WINDOW_S), int(PIECE_MIN_S / WINDOW_S)


def speech(seconds: float, *pauses: float) -> NDArray[np.float32]:
    """What the VAD says of somebody who speaks, with pauses of half a second that begin at these seconds."""
    probabilities = np.ones(int(seconds / WINDOW_S), np.float32)
    for pause in pauses:
        probabilities[int(pause / WINDOW_S) : int((pause + 0.5) / WINDOW_S)] = 0.0
    return probabilities


def test_a_short_recording_is_not_cut() -> None:
    """Utterances are transcribed at once, up to the longest piece."""
    assert cut_points(speech(PIECE_MAX_S, 9.0)) == []


def test_it_is_cut_in_the_middle_of_the_pauses() -> None:
    """No word is cut in two as long as the speaker breathes."""
    cuts = [cut * WINDOW_S for cut in cut_points(speech(40.0, 5.0, 9.0, 20.0, 32.0))]
    assert len(cuts) == 3
    for cut, pause in zip(cuts, (9.0, 20.0, 32.0), strict=True):
        assert pause + 0.1 < cut < pause + 0.4


@given(st.integers(1, 4 * LONGEST), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_no_piece_is_too_long_or_too_short(windows: int, seed: int) -> None:
    """Whatever the VAD says; the last piece alone may be short."""
    probabilities = np.random.default_rng(seed).random(windows, np.float32)
    edges = [0, *cut_points(probabilities), windows]
    lengths = np.diff(edges)
    assert (lengths <= LONGEST).all()
    assert (lengths[:-1] >= SHORTEST).all()
    assert lengths[-1] > 0
