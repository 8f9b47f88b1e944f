"""What counts as the user's explicit yes, and when a risky call may run."""

import pytest

from agent.tools.confirmation import Confirmations
from agent.tools.consent import is_yes
from agent.turns import Channel, Kind, Speaker, Turn
from tests.support.turns import make_turn

BOOKING = {"people": 2}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Yes.", "en"),
        ("yes please", "en"),
        ("Yeah, book the table for two at seven.", "en"),
        ("Okay, go ahead.", "en"),
        ("That's right.", "en"),
        ("Um, sure, thank you.", "en"),
        ("Ja, bitte.", "de-AT"),
        ("Genau, machen Sie das.", "de"),
        ("Yes.", "de"),
        ("Sí, adelante.", "es"),
        ("Oui, d'accord.", "fr"),
        ("Yes.", "xx"),
    ],
)
def test_a_yes_is_understood(text: str, language: str) -> None:
    """In the agent's language and in English."""
    assert is_yes(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"),
        ("No.", "en"),
        ("Yes, but at eight.", "en"),
        ("Yes, if it is free.", "en"),
        ("Yes? What does it cost?", "en"),
        ("Yes what does it cost", "en"),
        ("Don't do it.", "en"),
        ("Don’t, okay", "en"),
        ("Okay, tell me about the weather.", "en"),
        ("Please tell me the time.", "en"),
        ("Right now I want to talk about yes and no.", "en"),
        ("I said yes yesterday to somebody else.", "en"),
        ("Ja, aber später.", "de"),
        ("Klar ist das teuer.", "de"),
        ("si llueve", "es"),
        ("Sí, pero no.", "es"),
        ("Non.", "fr"),
        ("sim", "pt"),
        ("yes " * 20, "en"),
    ],
)
def test_what_is_not_clearly_a_yes_is_none(text: str, language: str) -> None:
    """In doubt the user is asked again."""
    assert not is_yes(text, language)


def asked() -> tuple[Confirmations, list[Turn]]:
    """A booking was called for and is not confirmed; the agent has asked."""
    confirmations, turns = Confirmations("en"), [make_turn("Book a table for two.")]
    assert not confirmations.take("book", BOOKING, turns)
    turns.append(make_turn("Shall I book for two?", speaker=Speaker.ASSISTANT))
    return confirmations, turns


def test_a_risky_call_runs_after_the_users_yes_and_once() -> None:
    """A second call of the same needs a second yes."""
    confirmations, turns = asked()
    turns.append(make_turn("Yes.", channel=Channel.CHAT))
    assert confirmations.take("book", BOOKING, turns)
    assert not confirmations.take("book", BOOKING, turns)


def test_a_model_that_calls_again_by_itself_waits_for_the_user() -> None:
    """However often it tries, in the same turn or after its own words."""
    confirmations, turns = asked()
    assert not confirmations.take("book", BOOKING, turns)
    turns.append(make_turn("Yes.", speaker=Speaker.ASSISTANT))
    assert not confirmations.take("book", BOOKING, turns)


def test_a_yes_from_before_the_question_does_not_count() -> None:
    """It was said to something else."""
    confirmations, turns = Confirmations("en"), [make_turn("Yes.")]
    assert not confirmations.take("book", BOOKING, turns)
    assert not confirmations.take("book", BOOKING, turns)


def test_a_yes_that_nobody_asked_for_does_not_count() -> None:
    """The user went on talking before the agent could ask."""
    confirmations, turns = Confirmations("en"), [make_turn("Book a table.")]
    assert not confirmations.take("book", BOOKING, turns)
    turns.append(make_turn("Yes, a table, as I said."))
    assert not confirmations.take("book", BOOKING, turns)


def test_a_yes_to_other_arguments_does_not_count() -> None:
    """Two people were agreed on, not twenty."""
    confirmations, turns = asked()
    turns.append(make_turn("Yes."))
    assert not confirmations.take("book", {"people": 20}, turns)
    assert not confirmations.take("book", BOOKING, turns)


def test_the_latest_turn_of_the_user_decides() -> None:
    """A yes that was taken back is none; a question in between does no harm."""
    confirmations, turns = asked()
    turns += [make_turn("Yes."), make_turn("No, wait.")]
    assert not confirmations.take("book", BOOKING, turns)
    turns += [make_turn("Shall I?", speaker=Speaker.ASSISTANT), make_turn("Yes, go ahead.")]
    assert confirmations.take("book", BOOKING, turns)


def test_a_note_in_the_thread_is_nobodys_yes() -> None:
    """What a tool wrote there was not said by the user."""
    confirmations, turns = asked()
    note = make_turn("yes")
    turns.append(Turn(**{**{name: getattr(note, name) for name in Turn.__slots__}, "kind": Kind.TOOL}))
    assert not confirmations.take("book", BOOKING, turns)
