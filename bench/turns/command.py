"""`python -m bench turns`: scores every stop of every recording, and says how rules would do."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from rich.console import Console
from rich.table import Table

from bench.turns.chart import draw
from bench.turns.moments import DELAYS_MS, find_moments
from bench.turns.policies import Policy, outcome, policies_for
from bench.turns.rules import HINTS, Judgement, Rule, judge, ranking, rules_for
from bench.turns.scores import Score, read_scores, score_all
from bench.venvs import CACHE
from tests.support.recordings import Half


@dataclass(frozen=True)
class TurnsOptions:
    """What `python -m bench turns` is asked for.

    Attributes:
        out: where the scores are written, as .csv or .json.
        scores: a file of earlier scores (.json) to judge instead of making new ones.
        delay_ms: the silence after which the rules decide.
        smart_turn: whether Smart Turn is asked too (needs PyPI once).
        json_output: print one line of JSON instead of tables.
        chart: where a picture of the waits and cut-offs of the judging half is written, as SVG.
        cache: where environments are kept.
    """

    out: Path | None = None
    scores: Path | None = None
    delay_ms: int = 200
    smart_turn: bool = True
    json_output: bool = False
    chart: Path | None = None
    cache: Path = CACHE


async def run_turns(options: TurnsOptions, console: Console, write: Callable[[str], None]) -> None:
    """Score, judge, and say so.

    Args:
        options: what is asked for.
        console: for progress and tables.
        write: gets the line of JSON.

    Raises:
        VenvError: Smart Turn's environment cannot be made.
        ValueError: the delay is none of those that are scored, or earlier scores cannot be used.
    """
    if options.delay_ms not in DELAYS_MS:
        raise ValueError(f"--delay must be one of {', '.join(map(str, DELAYS_MS))}")
    scores = await _scores(options, console)
    if options.out is not None:
        _save(scores, options.out)
    rules = rules_for(scores, options.delay_ms)
    policies = policies_for(rules, scores, options.delay_ms)
    if options.chart is not None:
        drawn = draw({policy.name: outcome(policy, scores, options.delay_ms, "judging") for policy in policies})
        options.chart.write_text(drawn, encoding="utf-8")
    if options.json_output:
        write(json.dumps(summary(rules, policies, scores, options.delay_ms)))
        return
    for half in get_args(Half):
        console.print(_table(rules, scores, options.delay_ms, half))
        console.print(_policy_table(policies, scores, options.delay_ms, half))
    console.print(_ranking_table(scores))
    for rule in rules:
        if rule.weights is not None:
            weights = ", ".join(f"{name} {weight:+.2f}" for name, weight in rule.weights.items())
            console.print(f"{rule.name}: {weights}; over from {rule.threshold:+.2f}", highlight=False)


def summary(
    rules: Sequence[Rule], policies: Sequence[Policy], scores: Sequence[Score], delay_ms: int
) -> dict[str, Any]:
    """The judgements of both halves and the fitted weights, by rule."""
    return {
        "delay_ms": delay_ms,
        "rules": {
            rule.name: {
                **{half: asdict(judge(rule, scores, delay_ms, half)) for half in get_args(Half)},
                "threshold": rule.threshold,
                "weights": rule.weights,
            }
            for rule in rules
        },
        "rankings": rankings(scores),
        "policies": {
            policy.name: {half: asdict(outcome(policy, scores, delay_ms, half)) for half in get_args(Half)}
            for policy in policies
        },
    }


def rankings(scores: Sequence[Score]) -> dict[str, dict[int, float]]:
    """How well each audio model alone tells an end from a pause, by the silence that it has heard; both halves."""
    models = {"v1-mini": HINTS["v1_mini"]}
    if all(score.smart_turn is not None for score in scores):
        models["Smart Turn"] = HINTS["smart_turn"]
    return {
        name: {delay: _ranking_at(scores, read, delay) for delay in _delays(scores)} for name, read in models.items()
    }


def _ranking_at(scores: Sequence[Score], read: Callable[[Score], float], delay_ms: int) -> float:
    at = [score for score in scores if score.delay_ms == delay_ms]
    pauses = [score for score in at if score.kind in ("pause", "inserted_pause")]
    return ranking(read, [score for score in at if score.is_end], pauses)


def _delays(scores: Sequence[Score]) -> list[int]:
    return sorted({score.delay_ms for score in scores})


async def _scores(options: TurnsOptions, console: Console) -> list[Score]:
    if options.scores is not None:
        return read_scores(options.scores)

    def say(message: str) -> None:
        console.print(message, highlight=False)

    return await score_all(find_moments(), options.cache, say, with_smart_turn=options.smart_turn)


def _save(scores: Sequence[Score], path: Path) -> None:
    rows = [score.to_row() for score in scores]
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _table(rules: Sequence[Rule], scores: Sequence[Score], delay_ms: int, half: Half) -> Table:
    table = Table(title=f"{half} half, {delay_ms} ms after the speech stops")
    table.add_column("rule")
    columns = ("held", "cut at pauses", "cut at inserted", "cut unfinished", "ranking", "cut, 1 s patience")
    for column in columns:
        table.add_column(column, justify="right")
    for rule in rules:
        table.add_row(rule.name, *_cells(judge(rule, scores, delay_ms, half)))
    return table


def _policy_table(policies: Sequence[Policy], scores: Sequence[Score], delay_ms: int, half: Half) -> Table:
    table = Table(
        title=f"How long people wait and how often they are cut off, asked {delay_ms} ms after the stop ({half} half)",
        caption="waits in ms; inserted pauses last 0.4 to 1.2 s; what is graded was fitted on the tuning half",
    )
    table.add_column("policy")
    for column in ("mean wait", "median", "p95", "cut: all pauses", "inserted", "own"):
        table.add_column(column, justify="right")
    for policy in policies:
        did = outcome(policy, scores, delay_ms, half)
        waits = (did.wait_mean_ms, did.wait_p50_ms, did.wait_p95_ms)
        cuts = (did.cut, did.cut_inserted, did.cut_pause)
        table.add_row(policy.name, *map(str, waits), *(f"{cut:.0%}" for cut in cuts))
    return table


def _ranking_table(scores: Sequence[Score]) -> Table:
    table = Table(title="How often an end scores higher than a pause, by when the model is asked (both halves)")
    table.add_column("model")
    for delay_ms in _delays(scores):
        table.add_column(f"{delay_ms} ms", justify="right")
    for name, found in rankings(scores).items():
        table.add_row(name, *(f"{share:.2f}" for share in found.values()))
    return table


def _cells(judged: Judgement) -> list[str]:
    shares = (judged.held, judged.cut_pause, judged.cut_inserted, judged.cut_unfinished)
    return [*(f"{share:.0%}" for share in shares), f"{judged.ranking:.2f}", f"{judged.cut_at_1s:.0%}"]
