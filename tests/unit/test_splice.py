"""One answer out of the answers of several models: nothing is said twice, nothing is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.splice import Splice

AGAIN = "Let me start again."


def say(*answers: list[str]) -> str:
    """What is said when each model says these pieces, and all but the last one are cut."""
    splice = Splice(AGAIN)
    said = ""
    for number, pieces in enumerate(answers):
        splice.begin()
        for piece in pieces:
            said += splice.take(piece)
        if number == len(answers) - 1:
            said += splice.end()
    return said


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([["It is ", "five."]], "It is five."),
        ([["It is"], ["It is five."]], "It is five."),
        ([["It is"], ["It", " is", " five."]], "It is five."),
        ([["It is"], [" It is five."]], "It is five."),
        ([["It is five."], ["It is five."]], "It is five."),
        ([[], ["It is five."]], "It is five."),
        ([[" \n"], ["It is five."]], "It is five."),
        ([["It is"], ["The time is five."]], f"It is… {AGAIN} The time is five."),
        ([["It is fi"], ["It is", " six."]], f"It is fi… {AGAIN} It is six."),
        ([["It is five."], ["It is six."]], f"It is five. {AGAIN} It is six."),
        ([["It is five o'clock and"], ["It is five o'clock"]], f"It is five o'clock and… {AGAIN} It is five o'clock"),
        ([["It is"], ["It"], ["It is five."]], "It is five."),
        ([["It is"], ["The time"], ["The time is five."]], f"It is… {AGAIN} The time is five."),
        ([["It is"], ["The time"], ["It is five."]], f"It is… {AGAIN} The time… {AGAIN} It is five."),
    ],
)
def test_the_answer_is_said_once(answers: list[list[str]], said: str) -> None:
    """The same words go on; other ones are announced and said from their beginning."""
    assert say(*answers) == said


@given(st.text(alphabet="ab. ", min_size=1), st.lists(st.integers(0, 30), max_size=4), st.integers(1, 5))
def test_however_often_the_same_answer_is_cut_it_is_whole(answer: str, cuts: list[int], size: int) -> None:
    """Wherever the cuts are, and in whatever pieces the answer comes."""
    pieces = [answer[at : at + size] for at in range(0, len(answer), size)]
    assert say(*(pieces[:cut] for cut in cuts), pieces).strip() == answer.strip()


@pytest.mark.parametrize(("said", "end"), [("", "Sorry."), ("It is", "… Sorry."), ("It is. ", " Sorry.")])
def test_giving_up_follows_what_was_said(said: str, end: str) -> None:
    """Half a sentence is broken off, a whole one is not."""
    splice = Splice(AGAIN)
    splice.begin()
    splice.take(said)
    assert splice.give_up("Sorry.") == end
