"""Rules that say "the turn is over" or "wait", fitted on one half of the recordings and judged on the other; pure."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.clips import PAUSE_S
from bench.turns.logistic import fit
from bench.turns.scores import Score
from plugins.turn_policy import FEW, UNKNOWN, log_odds
from plugins.turn_words import read_words
from tests.support.recordings import Half

# livekit's own threshold of v1-mini for English (livekit-agents 1.8.9, inference/eot/languages.py); pipecat's of Smart
# Turn (pipecat-ai 1.14.0, local_smart_turn_v3.py).
V1_MINI_ENGLISH = UNKNOWN
SMART_TURN_COMPLETE = 0.5
# A fitted rule may make so many of the finished turns of the tuning half wait.
HELD = 0.2

HINTS: dict[str, Callable[[Score], float]] = {
    "v1_mini": lambda score: log_odds(score.v1_mini),
    "smart_turn": lambda score: log_odds(0.5 if score.smart_turn is None else score.smart_turn),
    "final_mark": lambda score: float(read_words(score.text).final_mark),
    "comma": lambda score: float(read_words(score.text).comma),
    "open_word": lambda score: float(read_words(score.text).open_word),
    "often_open_word": lambda score: float(read_words(score.text).often_open_word),
    "hesitation": lambda score: float(read_words(score.text).hesitation),
    "no_words": lambda score: float(read_words(score.text).count == 0),
    "few_words": lambda score: float(read_words(score.text).count <= FEW),
    "unfinished": lambda score: score.unfinished,
}
WORD_HINTS = ("final_mark", "comma", "open_word", "often_open_word", "hesitation", "no_words", "few_words")
READING_HINTS = ("final_mark", "comma", "unfinished")
# The rules that this agent's two scores are taken from, with a sentence model and without.
WITH_READING, WITHOUT_READING = "v1-mini, marks and reading, fitted", "v1-mini and words, fitted"


@dataclass(frozen=True)
class Rule:
    """A rule at one delay: the turn is over when the score reaches the threshold."""

    name: str
    score: Callable[[Score], float]
    threshold: float
    weights: dict[str, float] | None = None

    def says_over(self, score: Score) -> bool:
        """Whether it would answer now."""
        return self.score(score) >= self.threshold


@dataclass(frozen=True)
class Judgement:
    """How a rule does on one half.

    Attributes:
        held: share of the finished sentences that it makes wait.
        cut_pause: share of the speakers' own pauses, of those longer than the delay, that it takes for an end.
        cut_inserted: the same of the pauses that were put in.
        cut_unfinished: the same of the recordings that end in the middle of a sentence.
        ranking: how often an end scores higher than a pause of either kind (area under the ROC curve).
        cut_at_1s: share of pauses of 0.4 to 1.2 s that are cut off when "wait" means one second of silence.
    """

    held: float
    cut_pause: float
    cut_inserted: float
    cut_unfinished: float
    ranking: float
    cut_at_1s: float


def rules_for(scores: Sequence[Score], delay_ms: int) -> list[Rule]:
    """The rules that are compared, the fitted ones fitted on the tuning half.

    Args:
        scores: all scores.
        delay_ms: the silence after which they decide.
    """
    tuning = [score for score in scores if score.delay_ms == delay_ms and score.half == "tuning"]
    rules = [
        Rule("silence alone", lambda _: 1.0, 0.5),
        Rule(f"v1-mini, {V1_MINI_ENGLISH}", lambda score: score.v1_mini, V1_MINI_ENGLISH),
        fitted("v1-mini, fitted", ("v1_mini",), tuning),
        fitted("words, fitted", WORD_HINTS, tuning),
        fitted("marks and reading, fitted", READING_HINTS, tuning),
        fitted(WITHOUT_READING, ("v1_mini", *WORD_HINTS), tuning),
        fitted(WITH_READING, ("v1_mini", *READING_HINTS), tuning),
        fitted("v1-mini, words and reading, fitted", ("v1_mini", *WORD_HINTS, "unfinished"), tuning),
    ]
    if all(score.smart_turn is not None for score in tuning):
        rules += [
            Rule(f"Smart Turn, {SMART_TURN_COMPLETE}", lambda score: score.smart_turn or 0.0, SMART_TURN_COMPLETE),
            fitted("both models, marks and reading, fitted", ("v1_mini", "smart_turn", *READING_HINTS), tuning),
        ]
    return rules


def fitted(name: str, hints: Sequence[str], tuning: Sequence[Score]) -> Rule:
    """A rule that weighs hints; its threshold makes at most `HELD` of the tuning half's finished sentences wait."""
    readers = [HINTS[hint] for hint in hints]
    counts = Counter((score.recording, score.is_end) for score in tuning)
    weights = fit(
        [[reader(score) for reader in readers] for score in tuning],
        [score.is_end for score in tuning],
        [1 / counts[score.recording, score.is_end] for score in tuning],
    )

    def rank(score: Score) -> float:
        return weights.score([reader(score) for reader in readers])

    ends = sorted(rank(score) for score in tuning if score.is_end)
    named = dict(zip(("bias", *hints), (weights.bias, *weights.weights), strict=True))
    return Rule(name, rank, ends[int(HELD * len(ends))], named)


def judge(rule: Rule, scores: Sequence[Score], delay_ms: int, half: Half) -> Judgement:
    """Count what a rule does to one half."""
    judged = [score for score in scores if score.delay_ms == delay_ms and score.half == half]
    ends = [score for score in judged if score.is_end]
    pauses = [score for score in judged if score.kind in ("pause", "inserted_pause")]
    inserted = [score for score in judged if score.kind == "inserted_pause"]
    patient = (PAUSE_S[1] - 1.0) / (PAUSE_S[1] - PAUSE_S[0])
    cut_inserted = _share(rule, inserted)
    return Judgement(
        held=1 - _share(rule, ends),
        cut_pause=_share(rule, [score for score in judged if score.kind == "pause"]),
        cut_inserted=cut_inserted,
        cut_unfinished=_share(rule, [score for score in judged if score.kind == "unfinished_end"]),
        ranking=ranking(rule.score, ends, pauses),
        cut_at_1s=cut_inserted + (1 - cut_inserted) * patient,
    )


def _share(rule: Rule, scores: Sequence[Score]) -> float:
    return sum(rule.says_over(score) for score in scores) / len(scores) if scores else math.nan


def ranking(read: Callable[[Score], float], ends: Sequence[Score], pauses: Sequence[Score]) -> float:
    """How often an end scores higher than a pause (area under the ROC curve); a draw counts half."""
    high, low = [read(score) for score in ends], [read(score) for score in pauses]
    wins = sum((end > pause) + 0.5 * (end == pause) for end in high for pause in low)
    return wins / (len(high) * len(low))
