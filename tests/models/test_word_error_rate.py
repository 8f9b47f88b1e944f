"""The measure that tests of hearing and speaking rely on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wer import word_error_rate, words


@pytest.mark.parametrize(
    ("expected", "heard", "rate"),
    [
        ("four queen of clubs", "four queen of clubs", 0.0),
        ("four queen of clubs", "four queen of gloves", 0.25),
        ("four queen of clubs", "queen of clubs", 0.25),
        ("four queen of clubs", "four queen of of clubs", 0.25),
        ("four queen of clubs", "", 1.0),
        ("", "", 0.0),
        ("", "You", 1.0),
        ("yes", "no it is not", 4.0),
    ],
)
def test_wrong_missing_and_added_words_count_alike(expected: str, heard: str, rate: float) -> None:
    """Each is one edit, divided by the words that were said."""
    assert word_error_rate(expected, heard) == rate


def test_spelling_that_cannot_be_heard_makes_no_difference() -> None:
    """Case, punctuation, digits and abbreviations are written alike first."""
    assert words("Mr. O'Brien said: 42, 7 and 10 — OK?") == words("mister obrien said forty two seven and ten okay")


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1), st.lists(st.sampled_from(["a", "b", "c"])))
@settings(deadline=None)
def test_the_rate_is_a_distance(said: list[str], heard: list[str]) -> None:
    """0 for the same words only, and as many edits in the other direction."""
    rate = word_error_rate(" ".join(said), " ".join(heard))
    assert (rate == 0) == (said == heard)
    back = word_error_rate(" ".join(heard), " ".join(said)) * max(1, len(heard))
    assert rate * len(said) == pytest.approx(back)
