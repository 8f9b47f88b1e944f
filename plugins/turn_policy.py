"""When a turn is over: how much silence is enough, from what was heard so far. Pure.

The silence that tells a pause from an end is the larger part of the wait for an answer. A sentence that sounds and
reads finished needs little of it, an unfinished one needs more. No single sign is reliable: the recogniser puts a full
stop after half a sentence, and the voice falls within one. So the signs are weighed, and the wait is graded: the
likelier the end, the shorter. docs/turn-taking.md has the figures behind the numbers here.
"""

import math
from dataclasses import dataclass, replace

from plugins.turn_words import read_words

SHORTEST_S = 0.25
LONGEST_S = 2.0

# Logistic regressions, fitted on one half of the recordings and judged on the other (`python -m bench turns`).
# With a model that reads how finished the sentence is, the line "v1-mini, marks and reading, fitted":
READ_BIAS = -0.60
READ_VOICE = 0.85  # times the logarithm of the odds that the audio model gives
READ_FINAL_MARK = 0.92
READ_COMMA = -0.22
UNFINISHED = -1.00  # times how unfinished it reads
# Without one, "v1-mini and words, fitted". "No words" is among its signs and not here: that wait is always the longest.
BIAS = 0.10
VOICE = 0.88
FINAL_MARK = 0.39
COMMA = -0.52
OPEN_WORD = -2.11
OFTEN_OPEN_WORD = -0.54
HESITATION = -1.01
FEW_WORDS = -1.00
FEW = 2
# The audio model's probability lies between these for the score: it must not outvote all other signs.
SUREST = 0.005
# What stands for it as long as it has not said anything: its makers' threshold for English, neither yes nor no.
UNKNOWN = 0.36
# At a comma at least this long: people pause there more often than the recordings show, most of whose pauses were put
# in between any two words; and somebody else may have the next word (tests/scenes/two_people_in_turn.yaml).
COMMA_S = 0.53
# And so much more than the signs alone say. How it reads may only lengthen that: many a clause before a comma could
# end there (tests/scenes/pause_at_comma_1_2.yaml).
COMMA_MORE_S = 0.1
# Few words are a whole answer to a question.
ANSWER_WORDS = 3
ANSWER_S = 0.4
THINKING_ABOUT_ANSWER_S = 1.0
# So is a lone "No.", however it sounds: the audio model can tell little from one word, and the recogniser writes "No,".
WHOLE_TURN_S = 0.6


@dataclass(frozen=True, slots=True)
class Grade:
    """From score to silence, in seconds: the wait at even odds, and what each unit of the score takes off it."""

    level_s: float
    slope_s: float


# Both chosen on the same half: within a 95th percentile of the wait of 0.6 s with a sentence model, of 0.75 s without;
# docs/turn-taking.md has what others would give.
READ_GRADE = Grade(0.0, 0.75)
GRADE = Grade(0.15, 0.6)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known in a pause.

    Attributes:
        text: the words of the turn so far, as the recogniser writes them.
        probability: that the turn is over, by the audio model; None when it has not said.
        unfinished: how unfinished the words read, by the sentence model (`SentenceModel`); None when it has not said.
        agent_asked: whether the agent's last words were a question.
    """

    text: str
    probability: float | None
    agent_asked: bool = False
    unfinished: float | None = None


def required_silence(evidence: Evidence, grade: Grade | None = None) -> float:
    """Seconds of silence after which the turn is over, on this evidence.

    Args:
        evidence: what is known.
        grade: another one than was chosen for this kind of evidence.
    """
    words = read_words(evidence.text)
    if words.fillers:
        return THINKING_ABOUT_ANSWER_S if evidence.agent_asked and words.count else LONGEST_S
    needed = _graded(evidence, grade or (GRADE if evidence.unfinished is None else READ_GRADE))
    if words.comma:
        unread = _graded(replace(evidence, unfinished=None), grade or GRADE)
        needed = max(needed, unread + COMMA_MORE_S, COMMA_S)
    if words.whole_turn:
        needed = min(needed, WHOLE_TURN_S)
    if not words.comma and evidence.agent_asked and words.count <= ANSWER_WORDS and not words.open_word:
        needed = min(needed, ANSWER_S)
    return min(max(needed, SHORTEST_S), LONGEST_S)


def _graded(evidence: Evidence, grade: Grade) -> float:
    return grade.level_s - grade.slope_s * score(evidence)


def score(evidence: Evidence) -> float:
    """The logarithm of the odds that the turn is over, whatever the agent has said before."""
    words = read_words(evidence.text)
    voice = log_odds(UNKNOWN if evidence.probability is None else evidence.probability)
    if evidence.unfinished is not None:
        marks = READ_FINAL_MARK * words.final_mark + READ_COMMA * words.comma
        return READ_BIAS + READ_VOICE * voice + marks + UNFINISHED * evidence.unfinished
    return (
        BIAS
        + VOICE * voice
        + FINAL_MARK * words.final_mark
        + COMMA * words.comma
        + OPEN_WORD * words.open_word
        + OFTEN_OPEN_WORD * words.often_open_word
        + HESITATION * words.hesitation
        + FEW_WORDS * (words.count <= FEW and not words.whole_turn)
    )


def log_odds(probability: float) -> float:
    """The logarithm of the odds, bounded so that a model that is very sure does not outvote all other signs."""
    bounded = min(max(probability, SUREST), 1 - SUREST)
    return math.log(bounded / (1 - bounded))
