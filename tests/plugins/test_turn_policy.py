"""How much silence is enough, from words and voice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.turn_policy import (
    COMMA_S,
    LONGEST_S,
    SHORTEST_S,
    WHOLE_TURN_S,
    Evidence,
    Grade,
    log_odds,
    required_silence,
    score,
)
from plugins.turn_words import read_words

UNFINISHED = st.none() | st.floats(-9, 9)


def wait(text: str, probability: float | None = 0.6, *, asked: bool = False, unfinished: float | None = None) -> float:
    return required_silence(Evidence(text, probability, asked, unfinished))


def test_a_finished_sentence_waits_the_least() -> None:
    """It reads finished and sounds finished."""
    assert wait("I would like a table for two.") == SHORTEST_S


@pytest.mark.parametrize("text", ["I would like a table for", "I would like a table, and", "Because of the"])
def test_a_sentence_that_breaks_off_waits_long(text: str) -> None:
    """However finished the voice sounds."""
    assert wait(text) >= 1.0


@pytest.mark.parametrize("text", ["Um.", "Uh", "So, um,", "Well."])
def test_somebody_who_thinks_is_given_time(text: str) -> None:
    """A filler is the beginning of something."""
    assert wait(text) == LONGEST_S


@pytest.mark.parametrize("text", ["Yes", "No.", "Four.", "On Monday"])
def test_an_answer_to_a_question_is_short(text: str) -> None:
    """The agent has just asked: it need not wait for more."""
    assert wait(text, 0.1, asked=True) <= 0.4 < wait(text, 0.1)


@given(st.text(), st.none() | st.floats(0, 1), st.booleans(), UNFINISHED)
def test_the_wait_is_bounded(text: str, probability: float | None, asked: bool, unfinished: float | None) -> None:
    """Never shorter than a pause between words, never longer than a person waits."""
    assert SHORTEST_S <= wait(text, probability, asked=asked, unfinished=unfinished) <= LONGEST_S


@given(st.text(), st.floats(0, 1), st.floats(0, 1), st.booleans(), UNFINISHED)
def test_a_voice_that_sounds_more_finished_never_waits_longer(
    text: str, one: float, other: float, asked: bool, unfinished: float | None
) -> None:
    """The rules do not contradict the model."""
    low, high = sorted((one, other))
    assert wait(text, high, asked=asked, unfinished=unfinished) <= wait(text, low, asked=asked, unfinished=unfinished)


@given(st.text(), st.floats(0, 1), st.booleans(), st.floats(-9, 9), st.floats(-9, 9))
def test_a_sentence_that_reads_more_finished_never_waits_longer(
    text: str, probability: float, asked: bool, one: float, other: float
) -> None:
    """Nor do they contradict the sentence model."""
    low, high = sorted((one, other))
    assert wait(text, probability, asked=asked, unfinished=low) <= wait(text, probability, asked=asked, unfinished=high)


@given(
    st.text(), st.text(), st.floats(0, 1), st.floats(0, 1), st.none() | st.tuples(st.floats(-9, 9), st.floats(-9, 9))
)
def test_what_is_likelier_over_never_waits_longer(
    one: str, other: str, first: float, second: float, read: tuple[float, float] | None
) -> None:
    """The wait falls with the score, but for words of somebody who thinks and at a comma, where it is longer, and for
    a lone "No.", where it is shorter.
    """
    unfinished = read or (None, None)
    evidence = (Evidence(one, first, unfinished=unfinished[0]), Evidence(other, second, unfinished=unfinished[1]))
    less_likely, likelier = sorted(evidence, key=score)
    longer = read_words(likelier.text).comma or required_silence(likelier) == LONGEST_S
    shorter = read_words(less_likely.text).whole_turn
    assert required_silence(likelier) <= required_silence(less_likely) or longer or shorter


def test_a_sentence_that_reads_unfinished_is_waited_for() -> None:
    """Though the recogniser puts a full stop there, and the voice has fallen."""
    assert wait("I would like to reserve.", 0.65, unfinished=-1.5) == SHORTEST_S
    assert wait("I would like to reserve.", 0.65, unfinished=2.0) > 0.8


@pytest.mark.parametrize("text", ["Yes,", "No,", "No."])
def test_a_lone_word_that_is_a_whole_turn_is_soon_enough(text: str) -> None:
    """The audio model can tell little from one word."""
    assert wait(text, 0.01) == wait(text, 0.01, unfinished=5.0) == WHOLE_TURN_S


@given(st.text(), st.floats(0, 1), st.booleans(), st.floats(0, 1), st.floats(0, 1))
def test_a_grade_moves_the_wait_and_not_its_bounds(
    text: str, probability: float, asked: bool, level: float, more: float
) -> None:
    """A higher level never waits less, and no level waits less or more than anybody may."""
    waits = [required_silence(Evidence(text, probability, asked), Grade(at, 0.6)) for at in (level, level + more)]
    assert SHORTEST_S <= waits[0] <= waits[1] <= LONGEST_S


def test_each_sign_counts_its_way() -> None:
    """A full stop hastens the answer; a word that asks for another one, a comma, few words delay it."""
    plain = score(Evidence("I would like a table", 0.5))
    assert score(Evidence("I would like a table.", 0.5)) > plain
    for text in ("I would like a table for", "I would like what he is", "I would like, um", "I would like,", "A table"):
        assert score(Evidence(text, 0.5)) < plain


def test_at_a_comma_reading_may_only_lengthen_the_wait() -> None:
    """A clause that could be a sentence goes on after it: what speaks against an end is not outvoted."""
    clause = "Had he married a more amiable woman,"
    assert wait(clause, 0.18, unfinished=-2.0) == wait(clause, 0.18) > 1.2
    assert wait(clause, 0.65, unfinished=2.5) > wait(clause, 0.65)


def test_a_comma_at_the_end_of_a_sentence_costs_little() -> None:
    """Recognisers put commas at ends too: where the voice has fallen, half a second is enough."""
    assert COMMA_S <= wait("They took the cross-town bus,", 0.65) <= 0.55
    assert wait("They took the cross-town bus,", 0.2) >= 0.8


def test_a_voice_that_has_said_nothing_yet_is_neither_sure_nor_unsure() -> None:
    """The words decide: a finished sentence does not wait long, one that breaks off does."""
    assert wait("I would like a table for two.", None) <= 0.5
    assert wait("I would like a table for", None) >= 1.0


@given(st.floats(0, 1))
def test_no_probability_outvotes_everything(probability: float) -> None:
    """A model that is quite sure counts, within bounds, and as much in one direction as in the other."""
    assert abs(log_odds(probability)) <= 5.3
    assert log_odds(probability) == pytest.approx(-log_odds(1 - probability), abs=1e-6)


@pytest.mark.parametrize("text", ["No.", "Yes.", "Thanks!"])
def test_a_word_that_is_a_whole_turn_is_not_waited_for_like_a_beginning(text: str) -> None:
    """A lone "No." is an answer, however it sounds and whatever mark is behind it; another word may be a beginning."""
    whole = required_silence(Evidence(text, 0.3))
    assert whole < required_silence(Evidence(text[:-1] + ",", 0.3))
    assert whole < required_silence(Evidence("Montreal.", 0.3))
