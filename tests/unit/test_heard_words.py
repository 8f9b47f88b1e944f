"""Which words of a reply were heard, laid along its text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.heard_words import heard_words

TEXT = "You typed: the quick brown fox jumps over the lazy dog, and then the dog sleeps in the warm sun."
WORDS = TEXT.split()


@pytest.mark.parametrize(
    ("estimate", "heard", "from_start", "expected"),
    [
        ("You typed: the", "You typed the quick brown fox.", True, "You typed: the quick brown fox"),
        ("You typed: the quick brown fox", "You typed, the.", True, "You typed: the"),
        ("You typed:", "You type that quick brown fog", True, "You typed: the quick brown fox"),
        (
            "You typed: the quick brown fox",
            "the lazy dog and then",
            False,
            "You typed: the quick brown fox jumps over the lazy dog, and then",
        ),
        (TEXT, "sleeps in the warm sun", False, TEXT),
    ],
)
def test_the_last_heard_word_ends_the_reply(estimate: str, heard: str, from_start: bool, expected: str) -> None:
    """Whatever the library guessed; misheard words find their place by their neighbours."""
    assert heard_words(TEXT, estimate, heard, from_start=from_start) == expected


def test_the_estimate_decides_between_equal_places() -> None:
    """ "the dog" comes twice: the place nearest to the guess is taken."""
    text = "The dog ran, the dog sat, the dog slept."
    assert heard_words(text, "The dog ran, the", "the dog", from_start=False) == "The dog ran, the dog"


def test_words_of_another_text_leave_the_estimate() -> None:
    """What cannot be laid along the text proves nothing."""
    assert heard_words(TEXT, "You typed: the", "bananas are yellow today", from_start=True) == "You typed: the"


def test_audio_without_a_word_means_that_nothing_was_heard() -> None:
    """A reply of which only a breath was played is no turn; a pause in the middle proves nothing."""
    assert heard_words(TEXT, "You", "", from_start=True) == ""
    assert heard_words(TEXT, "You typed: the", "", from_start=False) == "You typed: the"


@given(st.text(), st.integers(0, 30), st.text(), st.booleans())
def test_the_result_is_always_a_beginning_of_the_text(text: str, cut: int, heard: str, from_start: bool) -> None:
    """Nothing is invented, whatever was recognised."""
    estimate = text[:cut]
    assert text.startswith(heard_words(text, estimate, heard, from_start=from_start))


@given(st.integers(1, len(WORDS)))
def test_words_heard_well_are_found_exactly(count: int) -> None:
    """A clean transcript from the start gives its own length, whatever was guessed."""
    heard = " ".join(WORDS[:count])
    assert heard_words(TEXT, TEXT, heard, from_start=True).split() == WORDS[:count]
