"""One answer out of the answers of several models, of which some were cut: it is said once. No I/O."""

SENTENCE_ENDS = (".", "!", "?", "…", ":")


class Splice:
    """Follows what was said of an answer, and tells what is still to be said when another model gives it.

    A model that says the same again goes on where the cut was. One that says something else is announced ("Let me start
    again."), and its whole answer is said. Blanks before an answer are left out.

    Args:
        start_again: the announcement.
    """

    def __init__(self, start_again: str) -> None:
        self._start_again = start_again
        self._said = ""  # of the answer that counts; what was given up before it is not in it
        self._held: str | None = None  # the new answer while it is the same; None when there is nothing to compare

    def begin(self) -> None:
        """A model begins with the answer."""
        self._held = "" if self._said else None

    def take(self, words: str) -> str:
        """What is to be said of these words of the model."""
        if self._held is None:
            words = words if self._said else words.lstrip()
            self._said += words
            return words
        self._held = (self._held + words).lstrip()
        if self._said.startswith(self._held):
            return ""
        if not self._held.startswith(self._said):
            return self._start_anew(self._held)
        rest = self._held[len(self._said) :]
        self._said, self._held = self._held, None
        return rest

    def end(self) -> str:
        """What is to be said when the model has ended; an answer that is only the beginning of the first is another."""
        if self._held is None or self._held.rstrip() == self._said.rstrip():
            return ""
        return self._start_anew(self._held)

    def give_up(self, apology: str) -> str:
        """What is to be said when no model gives the answer to its end."""
        return self._break() + apology

    def _start_anew(self, answer: str) -> str:
        announcement = f"{self._break()}{self._start_again} "
        self._said, self._held = answer, None
        return announcement + answer

    def _break(self) -> str:
        said = self._said.rstrip()
        if not said:
            return ""
        return " " if said.endswith(SENTENCE_ENDS) else "… "
