"""From steps to the figures of the last line of `--json`; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.density.cores import Cores
from bench.density.first_word import FirstWords
from bench.density.search import most_calls, p95_ms
from bench.density.step import Step
from bench.percentiles import percentile

CONTENDERS = ("ours", "stock")


@dataclass(frozen=True)
class Measured:
    """Everything that a run has measured.

    Attributes:
        steps: numbers of talkative calls, in the order in which they were measured.
        outcomes: of each contender, which numbers of calls went well; also of those that could not even begin.
        silent: calls that are mostly silence.
        first_words: of each contender.
        cores: who ran where.
        machine: what it was measured on.
    """

    steps: Sequence[Step]
    outcomes: Mapping[str, Mapping[int, bool]]
    silent: Sequence[Step]
    first_words: Sequence[FirstWords]
    cores: Cores
    machine: dict[str, Any]


def results(measured: Measured) -> dict[str, Any]:
    """The object of the last line of `--json`."""
    at = compared_at(measured.outcomes)
    ours, stock = (_contender(who, at, measured) for who in CONTENDERS)
    return {
        "ours": ours,
        "stock": stock,
        "cpu_ratio": ratio(ours["cpu_per_call"], stock["cpu_per_call"]),
        "memory_ratio": ratio(ours["pss_mb_per_call"], stock["pss_mb_per_call"]),
        "compared_at": at,
        "steps": [step_row(step, measured.outcomes[step.contender][step.calls]) for step in measured.steps],
        "silent": _silent(measured.silent),
        "cores": {
            "worker": len(measured.cores.worker),
            "others": len(measured.cores.others),
            "apart": measured.cores.apart,
        },
        "machine": measured.machine,
    }


def compared_at(outcomes: Mapping[str, Mapping[int, bool]]) -> int | None:
    """The highest number of calls with which all contenders were measured and did well; None when there is none."""
    well = [{calls for calls in tried if calls <= most_calls(tried)} for tried in outcomes.values()]
    return max(set.intersection(*well), default=None) if well else None


def step_row(step: Step, well: bool) -> dict[str, Any]:
    """The figures of one step."""
    times = [turn.reply_ms for turn in step.turns if turn.reply_ms is not None]
    p95 = p95_ms(step.turns)
    return {
        "contender": step.contender,
        "calls": step.calls,
        "well": well,
        "p50_ms": round(percentile(times, 50)) if times else None,
        "p95_ms": None if p95 is None else round(p95),
        "turns": len(step.turns),
        "cut_off": sum(turn.cut_off for turn in step.turns),
        "missed": sum(turn.missed for turn in step.turns),
        "cpu_per_call": round(step.cpu_per_call, 4),
        "pss_mb_per_call": round(step.pss_mb_per_call, 1),
        "worker_cores": round(step.busy.cores, 3),
        "caller_cores": round(step.caller_cores, 3),
    }


def ratio(ours: float | None, stock: float | None) -> float | None:
    """Ours divided by stock's, where both are known."""
    return round(ours / stock, 3) if ours is not None and stock else None


def _contender(who: str, at: int | None, measured: Measured) -> dict[str, Any]:
    steps = [step for step in measured.steps if step.contender == who]
    compared = next((step for step in steps if step.calls == at), None)
    tried = measured.outcomes[who]
    words = next((words for words in measured.first_words if words.contender == who), None)
    return {
        "cpu_per_call": None if compared is None else round(compared.cpu_per_call, 4),
        "pss_mb_per_call": None if compared is None else round(compared.pss_mb_per_call, 1),
        "idle_pss_mb": round(median(step.idle.pss_mb for step in steps), 1),
        "idle_cores": round(median(step.idle.cores for step in steps), 4),
        # The worker has one core (see cores.py).
        "calls_per_core": most_calls(tried),
        "limit_found": not all(tried.values()),
        "first_word_ms": round(median(words.warm_ms)) if words is not None and words.warm_ms else None,
        "first_word_at_once_ms": _at_once(words),
    }


def _at_once(words: FirstWords | None) -> dict[str, Any] | None:
    if words is None or not words.burst_ms:
        return None
    return {
        "calls": len(words.burst_ms),
        "p50": round(median(words.burst_ms)),
        "last": round(words.burst_ms[-1]),
    }


def _silent(steps: Sequence[Step]) -> dict[str, Any] | None:
    if not steps:
        return None
    found: dict[str, Any] = {"calls": steps[0].calls}
    for who in CONTENDERS:
        step = next(step for step in steps if step.contender == who)
        found[who] = {
            "cpu_per_call": round(step.cpu_per_call, 4),
            "pss_mb_per_call": round(step.pss_mb_per_call, 1),
        }
    for name, figure in (("cpu_ratio", "cpu_per_call"), ("memory_ratio", "pss_mb_per_call")):
        found[name] = ratio(found["ours"][figure], found["stock"][figure])
    return found
