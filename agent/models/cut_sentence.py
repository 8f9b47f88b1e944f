"""A sentence whose speech was cut: what is left of it to say, by the time that was heard. No I/O."""

# Letters and digits in a second of speech until a voice has shown its own pace (the local one: 11 to 17, mean 14.2).
USUAL_RATE = 14.0
# Nobody speaks this fast: so little sound for so much text is no speech of all of it.
IMPOSSIBLE_RATE = 40.0
# Seconds of speech that the usual rate counts as, beside those that were heard.
PRIOR_S = 2.0
# In languages that put no blanks between words a cut may be anywhere.
LONGEST_WORD = 30


def letters(text: str) -> int:
    """How many letters and digits there are, which is about what takes time to say."""
    return sum(character.isalnum() for character in text)


def is_too_short(text: str, seconds: float) -> bool:
    """Whether so much sound cannot be all of a text."""
    return letters(text) > seconds * IMPOSSIBLE_RATE


class SpeakingRate:
    """How fast a voice speaks, from what it has said.

    Args:
        usual: letters and digits per second of one that has said nothing yet.
    """

    def __init__(self, usual: float = USUAL_RATE) -> None:
        self._letters = usual * PRIOR_S
        self._seconds = PRIOR_S

    @property
    def letters_per_second(self) -> float:
        """Letters and digits per second."""
        return self._letters / self._seconds

    def note(self, text: str, seconds: float) -> None:
        """A text was said to its end in this time."""
        self._letters += letters(text)
        self._seconds += seconds


def rest_of(text: str, spoken: int) -> str:
    """The text from about a place on: from the beginning of the word there, since a word twice is better than none.

    Args:
        text: the whole text.
        spoken: how many letters and digits of it were heard.
    """
    places = [place for place, character in enumerate(text) if character.isalnum()]
    if spoken >= len(places):
        return ""
    place = places[spoken]
    word = max(text.rfind(" ", 0, place), text.rfind("\n", 0, place)) + 1
    return text[word if place - word <= LONGEST_WORD else place :]
