"""How finished a sentence reads: Moonshine's decoder as a language model.

It has learnt how sentences are written. Given a sentence without the mark at its end, and silence for sound, it tells
how likely a full stop is next, and how likely dots or a further word (docs/turn-taking.md has what that is worth).
"""

import itertools
import math
import re

from agent.dev.models.moonshine import Moonshine, Tokens

FINAL = (".", "?", "!", '."', '?"', '!"', ".'", "?'", ".)")
DOTS = ("...", "..", "…", " ...", "....")
# The logarithms of the odds are bounded: beyond this there is nothing to tell.
SUREST = 9.0
# Of a longer sentence its end is enough.
LONGEST = 200
# The first tokens stand for single bytes; whole characters and more come after them.
FIRST_CHARACTER = 259
FIRST_BYTE = 3

_MARKS_AT_END = re.compile(r"[\s.?!,:;…\"'”’)–—-]+$")
_SENTENCE_END = re.compile(r"[.?!…]+[\"'”’)]?\s+")


class SentenceReader:
    """Reads sentences with the weights of the recogniser; may be used by any thread.

    Args:
        moonshine: the model.
    """

    def __init__(self, moonshine: Moonshine) -> None:
        self._moonshine = moonshine
        written = [token.decode(errors="replace").replace("▁", " ") for token in moonshine.vocabulary]
        self._final = [number for number, text in enumerate(written) if text in FINAL]
        self._dots = [number for number, text in enumerate(written) if text in DOTS]
        self._numbers = {
            text: number for number, text in reversed(list(enumerate(written))) if number >= FIRST_CHARACTER
        }

    def unfinished(self, text: str) -> float:
        """How unfinished a text reads: about −3 to 0 when it may end here, above 1 when it may not, at most 9.

        It is the mean of two logarithms of odds: of dots, and of anything else, against a mark that ends a sentence.
        0 for a text without words.
        """
        sentence = last_sentence(text)
        if not sentence:
            return 0.0
        likely = self._moonshine.expected(self.tokens(sentence))
        final, dots = float(likely[self._final].sum()), float(likely[self._dots].sum())
        return (_log_odds(dots, final) + _log_odds(1 - final, final)) / 2

    def tokens(self, sentence: str) -> Tokens:
        """The tokens of a sentence: of neighbours that are a token together the one with the lowest number first."""
        parts = list(f" {sentence}")
        while True:
            pairs = [self._numbers.get(left + right) for left, right in itertools.pairwise(parts)]
            known = [number for number in pairs if number is not None]
            if not known:
                break
            at = pairs.index(min(known))
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return tuple(token for part in parts for token in self._numbers_of(part))

    def _numbers_of(self, part: str) -> list[int]:
        if part in self._numbers:
            return [self._numbers[part]]
        return [FIRST_BYTE + byte for byte in part.replace(" ", "▁").encode()]


def last_sentence(text: str) -> str:
    """The last sentence of a text, or its end, without the mark behind it."""
    sentence = _SENTENCE_END.split(_MARKS_AT_END.sub("", text))[-1].strip()
    if len(sentence) > LONGEST:
        sentence = sentence[-LONGEST:].partition(" ")[2]
    return sentence


def _log_odds(one: float, other: float) -> float:
    """The logarithm of the odds of one against the other, bounded."""
    least = math.exp(-2 * SUREST)
    return min(max(math.log(max(one, least) / max(other, least)), -SUREST), SUREST)
