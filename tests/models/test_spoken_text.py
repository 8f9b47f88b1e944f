"""How text is cut into pieces for the voice: by sentence, never too long, nothing left out that can be said."""

import pytest
from hibari import Hibari
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dev.models.spoken_text import FIRST_PIECE_MAX, PIECE_MAX, split_for_speech

VOICE = Hibari()


def pieces(text: str) -> list[str]:
    return [piece.text for piece in split_for_speech(text)]


def test_sentences_are_pieces() -> None:
    """The first one can be heard while the next is made; titles do not end a sentence."""
    assert pieces("Hello, Mr. Smith. How are you?\nFine") == ["Hello, Mr. Smith.", "How are you?", "Fine"]


def test_a_long_first_sentence_is_cut_at_a_clause() -> None:
    """The first sound does not wait for the end of it."""
    first, *rest = pieces("It went on for a while, and then it went on again, " * 5)
    assert len(first) <= FIRST_PIECE_MAX
    assert first.endswith(",")
    assert rest


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("See https://www.example.com/a.", ["See example.com/a."]),
        ("Read [this](/about/).", ["Read this."]),
        ("-----\nand *****bold*****", ["-", "and *bold*"]),
        ("It is 20 m² or 8 m³.", ["It is 20 m squared or 8 m cubed."]),
        ("It costs 1,000,000.", ["It costs 1,000,000."]),
        ("Card 4111111111111111.", ["Card 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1."]),
        ("a\0b\u200bc", ["a b c"]),
        ("wait... what", ["wait... what"]),
        (" \n\t ", []),
    ],
)
def test_what_is_read_badly_is_put_into_other_words(text: str, spoken: list[str]) -> None:
    """Signs, addresses and long numbers, as a person would say them."""
    assert pieces(text) == spoken


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20), max_size=80))
@settings(deadline=None)
def test_no_word_is_lost(words: list[str]) -> None:
    """However it is cut, all letters and plain digits come out in their order."""
    text = " ".join("".join(c for c in word if not (c.isdigit() and not c.isdecimal())) for word in words)
    spoken = "".join(pieces(text))
    assert "".join(c for c in spoken if c.isalnum()) == "".join(c for c in text if c.isalnum()).replace("İ", "I")


@given(st.one_of(st.text(max_size=400), st.text("aB1,./-é ", max_size=1_000), st.text("0123456789,.²①", max_size=300)))
@settings(deadline=None)
def test_any_text_becomes_pieces_that_the_voice_can_read(text: str) -> None:
    """No character makes it fail, and no piece is so long that other callers would wait for it."""
    for piece in split_for_speech(text):
        assert len(piece.text) <= PIECE_MAX
        assert piece.pause > 0
        assert all(isinstance(phonemes, str) for phonemes in VOICE.phonemize(piece.text))
