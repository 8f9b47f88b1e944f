"""What is left of a sentence whose speech was cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.cut_sentence import SpeakingRate, is_too_short, letters, rest_of

SENTENCE = "Ten brown foxes, it seems, jump over the lazy dog."


@pytest.mark.parametrize(
    ("spoken", "rest"),
    [
        (0, SENTENCE),
        (2, SENTENCE),
        (3, "brown foxes, it seems, jump over the lazy dog."),
        (7, "brown foxes, it seems, jump over the lazy dog."),
        (8, "foxes, it seems, jump over the lazy dog."),
        (36, "dog."),
        (38, ""),
        (400, ""),
    ],
)
def test_the_rest_begins_with_the_word_that_was_cut(spoken: int, rest: str) -> None:
    """A word is rather said twice than not at all."""
    assert rest_of(SENTENCE, spoken) == rest


def test_a_language_without_blanks_is_cut_anywhere() -> None:
    """The whole sentence is not one word."""
    sentence = "敏捷的棕色狐狸跳过懒狗" * 5
    assert rest_of(sentence, 40) == sentence[40:]


@given(st.text(max_size=80), st.integers(0, 90))
def test_nothing_after_the_cut_is_lost(text: str, spoken: int) -> None:
    """Whatever the text, the rest is its end, and holds all that was not spoken."""
    rest = rest_of(text, spoken)
    assert text.endswith(rest)
    assert letters(rest) >= letters(text) - spoken


def test_a_voice_shows_its_own_pace() -> None:
    """At first the usual pace counts, later what was heard."""
    rate = SpeakingRate()
    assert rate.letters_per_second == 14.0
    for _ in range(50):
        rate.note("a" * 40, 2.0)
    assert rate.letters_per_second == pytest.approx(20.0, abs=0.5)


@pytest.mark.parametrize(("seconds", "too_short"), [(0.0, True), (0.3, True), (1.0, False), (30.0, False)])
def test_so_little_sound_is_not_all(seconds: float, too_short: bool) -> None:
    """Nobody says 38 letters in 0.3 seconds."""
    assert is_too_short(SENTENCE, seconds) is too_short
