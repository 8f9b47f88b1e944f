"""What it costs and spares when each moment gets a wait of its own: how long people wait, how often they are cut."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from statistics import fmean

from bench.clips import PAUSE_S
from bench.percentiles import percentile
from bench.turns.rules import SMART_TURN_COMPLETE, V1_MINI_ENGLISH, WITH_READING, Rule
from bench.turns.scores import Score
from plugins.turn_policy import LONGEST_S, SHORTEST_S, Evidence, Grade, required_silence
from tests.support.recordings import Half

# Stock livekit-agents 1.8.9 with the on-device detector (voice/turn.py, _STREAMING_ENDPOINTING_DEFAULTS).
STOCK_S = (0.3, 2.5)
# pipecat-ai 1.14.0: VAD_STOP_SECS, and STOP_SECS of base_smart_turn.py.
PIPECAT_S = (0.2, 3.0)
FIXED_S = (0.5, 1.0)
STOCK, PIPECAT = "stock livekit-agents", "Smart Turn as in pipecat"
THIS_AGENT, WITHOUT_MODEL = "this agent", "this agent without a sentence model"
# The 95th percentile of the wait and its mean, in seconds, that a graded one keeps to on the tuning half.
P95_S = 0.75
MEAN_S = 0.375
# Steeper ones gain next to nothing there, and make a long wait of a small mistake of the score.
_GRADES = [Grade(level / 20, slope / 20) for level, slope in product(range(21), range(4, 17))]
# The rules, beside this agent's, whose score is graded in the same way.
GRADED_RULES = (
    "v1-mini, fitted",
    "words, fitted",
    "marks and reading, fitted",
    WITH_READING,
    "v1-mini, words and reading, fitted",
    "both models, marks and reading, fitted",
)


@dataclass(frozen=True)
class Policy:
    """How long it must be silent before the turn is over, in seconds, for what is known at a moment."""

    name: str
    wait_s: Callable[[Score], float]


@dataclass(frozen=True)
class Outcome:
    """What a policy does to one half.

    Attributes:
        wait_mean_ms, wait_p50_ms, wait_p95_ms: silence before a finished sentence is taken for the end of a turn.
        cut_inserted: share of pauses of 0.4 to 1.2 s, any length as likely as another, that are taken for it.
        cut_pause: the same of the speakers' own pauses.
        cut: the same of all pauses.
    """

    wait_mean_ms: int
    wait_p50_ms: int
    wait_p95_ms: int
    cut_inserted: float
    cut_pause: float
    cut: float


def policies_for(rules: Sequence[Rule], scores: Sequence[Score], delay_ms: int) -> list[Policy]:
    """What is compared: silence alone, stock, pipecat, this agent with a sentence model and without, and other grades.

    Args:
        rules: the fitted rules.
        scores: all scores; what is fitted is fitted on the tuning half.
        delay_ms: the silence after which the judges are asked.
    """
    tuning = _of(scores, delay_ms, "tuning")
    policies = [Policy(f"silence alone, {wait} s", lambda _, wait=wait: wait) for wait in FIXED_S]  # type: ignore[misc]
    policies.append(Policy(STOCK, lambda score: STOCK_S[score.v1_mini < V1_MINI_ENGLISH]))
    if all(score.smart_turn is not None for score in scores):
        policies.append(Policy(PIPECAT, lambda score: PIPECAT_S[(score.smart_turn or 0.0) < SMART_TURN_COMPLETE]))
    policies += [
        Policy(THIS_AGENT, lambda score: required_silence(_evidence(score))),
        Policy(WITHOUT_MODEL, lambda score: required_silence(_evidence_of_words(score))),
        _best(f"graded, p95 <= {P95_S} s", _this_agents(_evidence), tuning, delay_ms),
        _best(f"graded without a sentence model, p95 <= {P95_S} s", _this_agents(_evidence_of_words), tuning, delay_ms),
    ]
    for rule in rules:
        if rule.name in GRADED_RULES:
            policies.append(_best(f"graded: {rule.name}", _graded(rule), tuning, delay_ms))
    return policies


def outcome(policy: Policy, scores: Sequence[Score], delay_ms: int, half: Half) -> Outcome:
    """Count what a policy does to one half; nothing is over before the judges were asked."""
    return _count(policy, _of(scores, delay_ms, half), delay_ms)


def _best(
    name: str,
    made: Callable[[Grade], Callable[[Score], float]],
    tuning: Sequence[Score],
    delay_ms: int,
) -> Policy:
    """Of the grades that keep the wait within its bounds the one that cuts into the fewest pauses."""
    candidates = []
    for grade in _GRADES:
        policy = Policy(f"{name} ({grade.level_s} - {grade.slope_s} x score)", made(grade))
        candidates.append((_count(policy, tuning, delay_ms), policy))
    fits = [
        found for found in candidates if found[0].wait_p95_ms <= P95_S * 1000 and found[0].wait_mean_ms <= MEAN_S * 1000
    ]
    if fits:
        return min(fits, key=lambda found: (found[0].cut, found[0].wait_mean_ms))[1]
    return min(candidates, key=lambda found: (found[0].wait_p95_ms, found[0].cut))[1]


def _this_agents(evidence: Callable[[Score], Evidence]) -> Callable[[Grade], Callable[[Score], float]]:
    def made(grade: Grade) -> Callable[[Score], float]:
        return lambda score: required_silence(evidence(score), grade)

    return made


def _graded(rule: Rule) -> Callable[[Grade], Callable[[Score], float]]:
    rank = cache(rule.score)  # it reads the words again for each hint, and there are hundreds of grades

    def made(grade: Grade) -> Callable[[Score], float]:
        return lambda score: min(max(grade.level_s - grade.slope_s * rank(score), SHORTEST_S), LONGEST_S)

    return made


def _evidence(score: Score) -> Evidence:
    return Evidence(score.text, score.v1_mini, unfinished=score.unfinished)


def _evidence_of_words(score: Score) -> Evidence:
    return Evidence(score.text, score.v1_mini)


def _of(scores: Sequence[Score], delay_ms: int, half: Half) -> list[Score]:
    return [score for score in scores if score.delay_ms == delay_ms and score.half == half]


def _count(policy: Policy, judged: Sequence[Score], delay_ms: int) -> Outcome:
    def wait_s(score: Score) -> float:
        return max(delay_ms / 1000, policy.wait_s(score))

    waits = [wait_s(score) * 1000 for score in judged if score.is_end]
    own = [float(wait_s(score) < (score.pause or 0.0)) for score in judged if score.kind == "pause"]
    inserted = [_share_longer(wait_s(score)) for score in judged if score.kind == "inserted_pause"]
    p50, p95 = (round(percentile(waits, percent)) for percent in (50, 95))
    return Outcome(round(fmean(waits)), p50, p95, _mean(inserted), _mean(own), _mean([*inserted, *own]))


def _share_longer(wait_s: float) -> float:
    shortest, longest = PAUSE_S
    return min(1.0, max(0.0, (longest - wait_s) / (longest - shortest)))


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0
