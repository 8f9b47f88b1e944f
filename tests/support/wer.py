"""Word error rate: the share of words that are wrong, missing or too many, after both texts are written alike."""

import re

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SPELLED = {"mr": "mister", "mrs": "missus", "dr": "doctor", "ok": "okay"}


def words(text: str) -> list[str]:
    """Lower-case words without punctuation; whole numbers below 100 and a few abbreviations are spelled out."""
    cleaned = re.sub(r"[^\w\s]|_", " ", re.sub(r"['’]", "", text.lower()))
    result: list[str] = []
    for word in cleaned.split():
        result += _spell(int(word)) if re.fullmatch(r"\d{1,2}", word) else [_SPELLED.get(word, word)]
    return result


def word_error_rate(expected: str, heard: str) -> float:
    """Edits that turn `expected` into `heard`, per word of `expected`; 0 when both are empty."""
    reference, hypothesis = words(expected), words(heard)
    costs = list(range(len(hypothesis) + 1))
    for row, wanted in enumerate(reference, start=1):
        diagonal, costs[0] = costs[0], row
        for column, got in enumerate(hypothesis, start=1):
            diagonal, costs[column] = (
                costs[column],
                min(costs[column] + 1, costs[column - 1] + 1, diagonal + (wanted != got)),
            )
    return costs[-1] / max(1, len(reference))


def _spell(number: int) -> list[str]:
    if number < len(_UNITS):
        return [_UNITS[number]]
    tens, units = divmod(number, 10)
    return [_TENS[tens]] + ([_UNITS[units]] if units else [])
