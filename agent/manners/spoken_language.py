"""The language of the agent's own sentences: the one that the user speaks, where recognition tells it. No I/O."""

from agent.phrases import PHRASES

# A word or two, such as a name, may sound like any language.
FEWEST_WORDS = 3


class SpokenLanguage:
    """The language of the call from turn to turn.

    Args:
        usual: the job's, as a tag; it counts until another one is heard.
    """

    def __init__(self, usual: str) -> None:
        self._now = usual

    @property
    def now(self) -> str:
        """The language as a tag."""
        return self._now

    def heard(self, language: str | None, text: str) -> None:
        """The user said something.

        Args:
            language: what the recogniser takes it for, as a tag; None or empty when it does not tell.
            text: the words.
        """
        if not language or len(text.split()) < FEWEST_WORDS:
            return
        if _base(language) in PHRASES and _base(language) != _base(self._now):
            self._now = language


def _base(language: str) -> str:
    return language.partition("-")[0].lower()
