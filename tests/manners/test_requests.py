"""Wishes and their effect: words again, and the speed of all voices that can be told."""

from agent.manners.requests import VoiceRequests
from agent.models.speech_speed import FASTEST, SLOWEST, SpeechSpeed
from agent.phrases import Phrase, say


class Voice:
    """A voice that can be told."""

    def __init__(self) -> None:
        self.speeds: list[float] = []

    def update_options(self, *, voice: str = "", speed: float = 1.0) -> None:
        """See livekit-plugins-openai."""
        self.speeds.append(speed)


class DeafVoice:
    """A voice that cannot."""

    def update_options(self, *, voice: str = "") -> None:
        """See other plugins."""


def words(phrase: Phrase) -> str:
    return say(phrase, "en")


def requests(*voices: object) -> VoiceRequests:
    return VoiceRequests(lambda: "en", words, SpeechSpeed(voices))


def test_the_last_reply_is_said_again_exactly() -> None:
    """Not what the agent said by itself since then."""
    asked = requests(Voice())
    asked.agent_said("It costs 12.50, with “tax”. ")
    asked.agent_said(say(Phrase.STILL_THERE, "en"))
    assert asked.answer("Say that again.") == "It costs 12.50, with “tax”."
    assert asked.answer("Say what again?") is None


def test_before_the_first_reply_the_model_answers() -> None:
    """There is nothing to repeat."""
    assert requests(Voice()).answer("Say that again.") is None


def test_a_guess_changes_nothing_and_the_turn_does() -> None:
    """A reply may be prepared for words that are not final."""
    voice = Voice()
    asked = requests(voice, DeafVoice())
    assert asked.answer("Slower please") == words(Phrase.SLOWER)
    assert voice.speeds == []
    asked.user_said("Slower please")
    asked.user_said("Slower please.")
    asked.user_said("What a slow train.")
    assert voice.speeds == [0.8, 0.64]
    asked.user_said("Faster!")
    assert voice.speeds == [0.8, 0.64, 0.8]


def test_there_is_a_slowest_and_a_fastest() -> None:
    """Nobody understands what lies beyond."""
    voice = Voice()
    asked = requests(voice)
    for _ in range(9):
        asked.user_said("slower")
    assert voice.speeds[-1] == SLOWEST
    for _ in range(9):
        asked.user_said("faster")
    assert voice.speeds[-1] == FASTEST


def test_without_a_voice_that_can_be_told_the_model_answers() -> None:
    """Nothing is promised that cannot be kept: a voice of another provider, or no voice at all."""
    assert requests(DeafVoice()).answer("slower") is None
    assert VoiceRequests(lambda: "en", words).answer("slower") is None
