"""What is understood as a wish about the agent's voice: whole utterances, and nothing that says more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.manners.wishes import Wish, wish_in
from tests.support.recordings import RECORDINGS

WISHES = [
    ("en", Wish.AGAIN, ["Say that again.", "Can you repeat that?", "Could you please say that again", "Pardon?"]),
    ("en", Wish.AGAIN, ["Sorry, what did you say?", "What was that?", "Repeat, please.", "Say again?"]),
    ("en", Wish.SLOWER, ["Slower.", "Slower, please!", "Can you speak more slowly?", "Please slow down a bit."]),
    ("en", Wish.SLOWER, ["Could you talk a little slower please?", "You're talking too fast."]),
    ("en", Wish.FASTER, ["Faster, please.", "Can you speak a bit faster?"]),
    ("de", Wish.AGAIN, ["Sagen Sie das noch einmal, bitte.", "Wie bitte?", "Können Sie das bitte wiederholen?"]),
    ("de-AT", Wish.SLOWER, ["Bitte langsamer!", "Können Sie etwas langsamer sprechen?"]),
    ("es", Wish.AGAIN, ["¿Puede repetir?", "Dígalo otra vez, por favor.", "¿Cómo dice?"]),
    ("es", Wish.SLOWER, ["Más despacio, por favor.", "¿Puede hablar un poco más despacio?"]),
    ("fr", Wish.AGAIN, ["Pouvez-vous répéter, s'il vous plaît ?", "Pardon ?"]),
    ("fr", Wish.SLOWER, ["Plus lentement.", "Parlez moins vite !"]),
    ("nl", Wish.AGAIN, ["Say that again."]),
]


@pytest.mark.parametrize(("language", "wish", "said"), [(la, w, s) for la, w, texts in WISHES for s in texts])
def test_wishes_are_understood(language: str, wish: Wish, said: str) -> None:
    """As people say and type them."""
    assert wish_in(said, language) is wish


@pytest.mark.parametrize(
    "said",
    [
        "Can you repeat that order for my sister?",
        "A snail is slower than a train.",
        "Again and again I called you.",
        "Slow down the video.",
        "Again.",
        "Once more!",
        "What did you say first?",
        "Say that again and I will hang up.",
        "",
        "…",
    ],
)
def test_who_says_more_is_answered_by_the_model(said: str) -> None:
    """A wish is a whole utterance."""
    assert wish_in(said, "en") is None


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_no_recording_is_a_wish(name: str) -> None:
    """What people really said in these recordings is none."""
    assert wish_in(RECORDINGS[name].transcript, "en") is None


@given(st.text(max_size=500), st.sampled_from(["en", "de", "es", "fr", "xx"]))
def test_any_text_is_looked_at(text: str, language: str) -> None:
    """No text breaks it, and none takes long."""
    wish_in(text, language)
