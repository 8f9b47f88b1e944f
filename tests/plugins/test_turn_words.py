"""What words alone say: a sentence that is finished or not, somebody who thinks, somebody who listens."""

import pytest

from plugins.turn_words import is_backchannel, read_words


@pytest.mark.parametrize(
    "text", ["Ten of clubs.", "No.", "No", "What time is it?", "Say that again!", 'He said "yes."']
)
def test_words_that_may_end_a_turn(text: str) -> None:
    """Nothing in them asks for more words."""
    words = read_words(text)
    assert not words.open_word
    assert not words.often_open_word
    assert not words.hesitation
    assert words.complete == text.rstrip('"').endswith((".", "?", "!"))


@pytest.mark.parametrize(
    "text", ["Which folder should it go to?", "Who is it from?", "There is nothing going on.", "Please come in."]
)
def test_a_last_word_that_closes_a_sentence(text: str) -> None:
    """A preposition at the end of a question, and the second half of a verb."""
    assert not read_words(text).open_word


@pytest.mark.parametrize("text", ["The folder it should go to.", "Who is it from", "There is nothing on.", "Is the?"])
def test_the_same_word_asks_for_more_elsewhere(text: str) -> None:
    """In a statement, without a mark, and an article anywhere."""
    assert read_words(text).open_word


@pytest.mark.parametrize(
    "text", ["The number I have is.", "Montreal forced. Um.", "and so my", "If this is correct,", ""]
)
def test_words_that_ask_for_more(text: str) -> None:
    """An open word, a filler, a comma or no words at all: the sentence is not complete, whatever the full stop says."""
    assert not read_words(text).complete


@pytest.mark.parametrize("text", ["Mm-hm.", "Uh-huh.", "Yeah.", "Okay, right.", "I see.", "And.", "You", ""])
def test_words_of_a_listener_are_known(text: str) -> None:
    """They show attention and want no answer."""
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["Stop.", "No.", "Wait.", "And you?", "Yeah but I want the other one.", "Right now please."]
)
def test_words_of_somebody_who_wants_to_speak_are_none(text: str) -> None:
    """They are meant for the agent."""
    assert not is_backchannel(text)
