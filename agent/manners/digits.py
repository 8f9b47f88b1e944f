"""Digits of a telephone's keypad become one message: `#` or a pause ends it. No I/O."""

PAUSE_S = 1.5
END = "#"
KEYS = frozenset("0123456789*#ABCD")
# Nobody has a number this long; the rest begins another message.
MOST_DIGITS = 64


class Digits:
    """Collects digits; times are seconds of any clock that does not go back."""

    def __init__(self) -> None:
        self._digits = ""
        self._last_at = 0.0

    @property
    def ends_at(self) -> float | None:
        """When what is collected is a message if no other digit comes; None while nothing is."""
        return self._last_at + PAUSE_S if self._digits else None

    def press(self, digit: str, at: float) -> str | None:
        """A key was pressed; returns the message that is complete with it. What is no key is left out."""
        key = digit.strip().upper()
        if key not in KEYS:
            return None
        self._digits += key
        self._last_at = at
        return self.take() if key == END or len(self._digits) == MOST_DIGITS else None

    def take(self) -> str | None:
        """What was collected, complete or not; it is collected no more."""
        digits, self._digits = self._digits, ""
        return digits or None
