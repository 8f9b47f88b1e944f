"""The language of the agent's own sentences follows the user, where the recogniser tells it."""

import pytest

from agent.manners.spoken_language import SpokenLanguage
from agent.phrases import PHRASES, Phrase, say


def test_it_follows_from_turn_to_turn() -> None:
    """There and back."""
    language = SpokenLanguage("en")
    language.heard("de", "Guten Tag, ich habe eine Frage.")
    assert language.now == "de"
    language.heard("en", "sorry I meant in English")
    assert language.now == "en"


@pytest.mark.parametrize(
    ("heard", "text"),
    [("de", "Okay."), ("de", "Herr Meier"), ("", "one two three four"), (None, "one two three"), ("xx", "a b c d")],
)
def test_what_says_too_little_changes_nothing(heard: str | None, text: str) -> None:
    """A word or two, a recogniser that does not tell, and a language without sentences here."""
    language = SpokenLanguage("en-GB")
    language.heard(heard, text)
    assert language.now == "en-GB"


@pytest.mark.parametrize("language", sorted(PHRASES))
def test_every_language_has_every_phrase(language: str) -> None:
    """No English sentence in the middle of another language."""
    assert set(PHRASES[language]) == set(Phrase)
    assert len({say(phrase, language) for phrase in Phrase}) == len(Phrase)
