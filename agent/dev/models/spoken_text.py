"""Text as the speech model gets it: pieces of a length it can say, without what it cannot say."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from hibari import Hibari

# A first piece beyond this is cut at a clause, so that the first audio does not wait for the whole sentence: it takes
# some 30 ms, a sentence of 150 characters 65. The shortest lasts long enough for the rest to be made meanwhile.
FIRST_PIECE_MAX = 60
FIRST_PIECE_MIN = 8
# The model's time and memory grow faster than the length of what it says at once.
PIECE_MAX = 300
PIECE_MIN = 40
SENTENCE_PAUSE_S = 0.28
CLAUSE_PAUSE_S = 0.10

_SCHEME = re.compile(r"\bhttps?://(?:www\.)?", re.IGNORECASE)
# Hibari would read the target of a Markdown link as phonemes when it stands between slashes.
_LINK = re.compile(r"\[([^\[\]]{1,300})\]\([^()\s]{0,300}\)")
# A line of signs is a rule or emphasis; spoken sign by sign it lasts for a minute.
_SAME_SIGNS = re.compile(r"([^\w\s.])\1{2,}")
# What is longer is read digit by digit: nobody follows it as one number, and Hibari has no words beyond 10^35.
_LONG_NUMBER = re.compile(r"\d{16,}|\d{1,3}(?:,\d{3}){5,}")
# Reading an unbroken word takes Hibari a time that grows with its length cubed: 5 s at 300 characters.
_LONG_WORD = re.compile(r"\S{61,}")
_WORD_PART = re.compile(r"\S{20,59}[^\w\s]|\S{1,60}")
_POWERS = str.maketrans({"²": " squared", "³": " cubed", "İ": "I"})
_CLAUSE_END = re.compile(r"[,;:—–)]\s+")
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that is synthesised at once, and the pause after it in seconds if another piece follows."""

    text: str
    pause: float


def split_for_speech(text: str) -> list[Piece]:
    """The pieces of a text in order: its sentences; long ones cut at a clause, else between words.

    Hibari reads digits, times, money, addresses and Markdown itself, and leaves out emoji and scripts that it does
    not know. What it would read badly, or fails on, is put into other words first.
    """
    pieces: list[Piece] = []
    for sentence in Hibari.split_sentences(_speakable(text)):
        shortest, limit = (PIECE_MIN, PIECE_MAX) if pieces else (FIRST_PIECE_MIN, FIRST_PIECE_MAX)
        parts = list(_cut(_BLANK.sub(" ", sentence).strip(), shortest, limit))
        pieces += [Piece(part, CLAUSE_PAUSE_S) for part in parts[:-1]]
        pieces.append(Piece(parts[-1], SENTENCE_PAUSE_S))
    return pieces


def is_pronounceable(phonemes: str) -> bool:
    """Whether phonemes hold a sound: for punctuation alone the model makes noises."""
    return any(character.isalpha() for character in phonemes)


def _speakable(text: str) -> str:
    text = "".join(map(_known_character, text.translate(_POWERS)))
    text = _SCHEME.sub("", _LINK.sub(r"\1", text))
    text = _SAME_SIGNS.sub(r"\1", text)
    text = _LONG_NUMBER.sub(lambda number: " ".join(number[0].replace(",", "")), text)
    return _LONG_WORD.sub(lambda word: " ".join(_WORD_PART.findall(word[0])), text)


def _known_character(character: str) -> str:
    """The character, or what stands for it: blanks for control characters, plain digits for ① and ₂."""
    if character == "\n":
        return character
    if unicodedata.category(character) in ("Cc", "Cf"):
        return " "
    if character.isdigit() and not character.isdecimal():
        return f" {unicodedata.digit(character)} "
    return character


def _cut(sentence: str, shortest: int, limit: int) -> Iterator[str]:
    while len(sentence) > limit:
        ends = [match.end() for match in _CLAUSE_END.finditer(sentence, shortest, limit)]
        space = sentence.rfind(" ", PIECE_MIN, PIECE_MAX)
        if ends:
            end = ends[-1]
        elif len(sentence) <= PIECE_MAX:
            break
        else:
            end = space + 1 if space > 0 else PIECE_MAX
        yield sentence[:end].strip()
        sentence = sentence[end:].strip()
        shortest, limit = PIECE_MIN, PIECE_MAX
    yield sentence
