"""Answers what a user asks of the agent's voice without asking a model: the words again, exactly, or another speed."""

from collections.abc import Callable

from agent.manners.wishes import Wish, wish_in
from agent.models.speech_speed import SpeechSpeed
from agent.phrases import Phrase, is_own_phrase


class VoiceRequests:
    """The requests in one call.

    Args:
        language: the language of the moment, as a tag.
        words: the agent's own sentences in it.
        speed: how fast the agent speaks; None in a call without a voice.
    """

    def __init__(
        self, language: Callable[[], str], words: Callable[[Phrase], str], speed: SpeechSpeed | None = None
    ) -> None:
        self._language = language
        self._words = words
        self._speed = speed
        self._last_reply = ""

    def answer(self, text: str) -> str | None:
        """What is said to the user's words; None when they are for the model. Changes nothing: it may be a guess.

        Args:
            text: the words.
        """
        match wish_in(text, self._language()):
            case Wish.AGAIN:
                return self._last_reply or None
            case Wish.SLOWER if self._can_change:
                return self._words(Phrase.SLOWER)
            case Wish.FASTER if self._can_change:
                return self._words(Phrase.FASTER)
        return None

    def user_said(self, text: str) -> None:
        """The user's turn is over: what they wish takes effect."""
        if self._speed is None or not self._can_change:
            return
        match wish_in(text, self._language()):
            case Wish.SLOWER:
                self._speed.slower()
            case Wish.FASTER:
                self._speed.faster()
            case _:
                pass

    def agent_said(self, text: str) -> None:
        """The agent's reply, all of it, were it cut; what it says by itself is no reply."""
        if text.strip() and not is_own_phrase(text):
            self._last_reply = text.strip()

    @property
    def _can_change(self) -> bool:
        return self._speed is not None and self._speed.adjustable
