"""Which words of a reply were heard, when it was cut: the pure part.

The library estimates them from a speaking rate and was two words too long where it was measured (DESIGN §7). The audio
that was played is known exactly; what a recogniser hears in its last seconds is laid along the reply's text.
"""

import difflib
import re
from dataclasses import dataclass

# Beyond this cost for each heard word, what was heard is not this text and the estimate stands.
HOPELESS = 0.6
# Words that look this much alike are the same word, misheard (difflib's ratio).
ALIKE = 0.6
ALIKE_COST = 0.4


@dataclass(frozen=True, slots=True)
class _Word:
    plain: str
    end: int


def heard_words(text: str, estimate: str, heard: str, *, from_start: bool) -> str:
    """The beginning of a reply's text up to the last word that was heard.

    Args:
        text: all that the reply would have said.
        estimate: the beginning of it that is thought to have been heard.
        heard: the words recognised in the last seconds of the audio that was played.
        from_start: whether that audio begins where the reply begins, so that nothing came before `heard`.

    Returns:
        A beginning of `text` that ends with a word; the estimate when `heard` does not fit anywhere, and "" when the
        whole audio holds no word.
    """
    words = _words(text)
    tail = [word.plain for word in _words(heard)]
    if not tail:
        return "" if from_start else estimate
    costs = _costs_by_end(words, tail, from_start=from_start)
    expected = len(_words(estimate))
    best = min(range(len(costs)), key=lambda end: (costs[end], abs(end - expected)))
    if costs[best] > HOPELESS * len(tail):
        return estimate
    return text[: words[best - 1].end].rstrip() if best else ""


def _costs_by_end(words: list[_Word], tail: list[str], *, from_start: bool) -> list[float]:
    """What it costs to lay all heard words along the text so that they end with its first 0, 1, 2 … words."""
    row = [float(end) if from_start else 0.0 for end in range(len(words) + 1)]
    for heard in tail:
        above, row = row, [row[0] + 1.0]
        for end, word in enumerate(words, start=1):
            row.append(min(above[end - 1] + _difference(word.plain, heard), above[end] + 1.0, row[end - 1] + 1.0))
    return row


def _difference(word: str, heard: str) -> float:
    if word == heard:
        return 0.0
    return ALIKE_COST if difflib.SequenceMatcher(None, word, heard).ratio() >= ALIKE else 1.0


def _words(text: str) -> list[_Word]:
    found = ((re.sub(r"\W", "", match[0].lower()), match.end()) for match in re.finditer(r"[^\s-]+-?", text))
    return [_Word(plain, end) for plain, end in found if plain]
