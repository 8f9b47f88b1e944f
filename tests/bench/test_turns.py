"""The harness of turn taking: moments, words, fitted rules, and what is counted of them."""

import csv
import json
import random
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from bench.__main__ import app
from bench.clips import RATE
from bench.turns.logistic import fit
from bench.turns.moments import DELAYS_MS, find_moments, spread
from bench.turns.policies import Policy, outcome, policies_for
from bench.turns.rules import Rule, judge, rules_for
from bench.turns.scores import Score

RUNNER = CliRunner()


def score(
    recording: str, *, over: bool, probability: float, text: str, unfinished: float = 0.0, half: str = "tuning"
) -> Score:
    kind = "end" if over else "inserted_pause"
    return Score(recording, half, kind, 1.0, None, 300, probability, probability, 0.0, text, unfinished)  # type: ignore[arg-type]


def examples(count: int) -> list[Score]:
    """Ends that are likely by the model and read finished, pauses that are not and do not; some are mixed up."""
    choice = random.Random(5)
    scores = []
    for index in range(count):
        over = index % 2 == 0
        surprising = choice.random() < 0.2
        probability = choice.uniform(0.5, 1.0) if over != surprising else choice.uniform(0.0, 0.5)
        text, unfinished = (
            ("I will go home.", choice.gauss(-1.5, 1)) if over else ("I will go to the", choice.gauss(2, 1))
        )
        half = choice.choice(["tuning", "judging"])
        scores.append(
            score(f"r{index}", over=over, probability=probability, text=text, unfinished=unfinished, half=half)
        )
    return scores


def test_moments_hold_what_was_heard_and_no_more() -> None:
    """The audio at a delay ends so long after the stop; a pause that is over by then is not asked about."""
    moments = find_moments()
    kinds = {moment.kind for moment in moments}
    assert kinds == {"end", "unfinished_end", "pause", "inserted_pause"}
    for moment in moments:
        for delay in DELAYS_MS:
            if moment.has(delay):
                assert len(moment.heard(delay)) == int((moment.at + delay / 1000) * RATE)


def test_places_are_spread_evenly() -> None:
    """A long recording does not count more than others: its first, middle and last place are taken."""
    assert spread([1.0, 2.0], 3) == [1.0, 2.0]
    assert spread([float(place) for place in range(9)], 3) == [0.0, 4.0, 8.0]


def test_the_fit_finds_which_hint_matters() -> None:
    """A hint that tells the truth gets a large weight, one that is always the same none."""
    hints = [[1.0, 1.0], [0.9, 1.0], [0.1, 1.0], [0.0, 1.0]] * 5
    weights = fit(hints, [True, True, False, False] * 5, [1.0] * 20)
    telling, silent = weights.weights
    assert telling > 1.0
    assert abs(silent) < 0.1
    assert weights.score([1.0, 1.0]) > 0 > weights.score([0.0, 1.0])


def test_a_rule_is_judged_by_both_mistakes() -> None:
    """Finished sentences that wait, and pauses that are taken for an end."""
    scores = [
        score("a", over=True, probability=0.9, text=""),
        score("b", over=True, probability=0.2, text=""),
        score("c", over=False, probability=0.8, text=""),
        score("d", over=False, probability=0.1, text=""),
    ]
    judged = judge(Rule("half", lambda score: score.v1_mini, 0.5), scores, 300, "tuning")
    assert (judged.held, judged.cut_inserted) == (0.5, 0.5)
    assert judged.ranking == 0.75
    # One pause of two is cut at once; of those that wait one second a quarter is longer than that.
    assert judged.cut_at_1s == pytest.approx(0.5 + 0.5 * 0.25)


def test_words_and_sound_together_rank_best() -> None:
    """The fitted rules of both are better on the half that they have not seen than the model's probability alone."""
    scores = examples(200)
    rules = {rule.name: judge(rule, scores, 300, "judging").ranking for rule in rules_for(scores, 300)}
    assert rules["v1-mini and words, fitted"] > rules["v1-mini, 0.36"]
    assert rules["v1-mini, marks and reading, fitted"] > rules["v1-mini, 0.36"]
    assert rules["silence alone"] == 0.5


def test_how_unfinished_it_reads_speaks_against_the_end() -> None:
    """The fit gives it a weight below zero, beside the same marks and the same voice."""
    (rule,) = (rule for rule in rules_for(examples(200), 300) if rule.name == "v1-mini, marks and reading, fitted")
    assert rule.weights is not None
    assert rule.weights["unfinished"] < 0 < rule.weights["v1_mini"]
    finished = score("a", over=True, probability=0.5, text="I will go home.", unfinished=-2.0)
    assert rule.score(finished) > rule.score(replace(finished, unfinished=3.0))


def test_patience_spares_pauses_and_costs_waiting() -> None:
    """Half a second of silence cuts most pauses of 0.4 to 1.2 s, one second a quarter, 1.2 s none."""
    scores = examples(200)
    for wait, cut in ((0.4, 1.0), (1.0, 0.25), (1.2, 0.0)):
        did = outcome(Policy("always", lambda _, wait=wait: wait), scores, 300, "judging")  # type: ignore[misc]
        assert did.wait_p50_ms == did.wait_p95_ms == wait * 1000
        assert did.cut_inserted == pytest.approx(cut)


def test_policies_are_compared_with_stock_and_with_ours() -> None:
    """A graded wait keeps to its bounds on the half that it was fitted on; stock waits 0.3 or 2.5 s."""
    scores = examples(200)
    did = {
        policy.name: outcome(policy, scores, 300, "tuning")
        for policy in policies_for(rules_for(scores, 300), scores, 300)
    }
    ours = {"this agent", "this agent without a sentence model"}
    assert {"stock livekit-agents", "Smart Turn as in pipecat", *ours} <= did.keys()
    assert did["stock livekit-agents"].wait_p50_ms == 300
    (chosen,) = (found for name, found in did.items() if name.startswith("graded, p95 <= 0.75 s"))
    assert chosen.wait_p95_ms <= 750
    assert chosen.cut < did["silence alone, 0.5 s"].cut


def test_earlier_scores_can_be_judged_again(tmp_path: Path) -> None:
    """`--scores` makes no new ones, `--out` writes them, `--json` prints the judgements, `--chart` draws them."""
    scores, table, chart = tmp_path / "scores.json", tmp_path / "scores.csv", tmp_path / "turns.svg"
    scores.write_text(json.dumps([score.to_row() for score in examples(60)]))
    result = RUNNER.invoke(
        app, ["turns", "--scores", str(scores), "--out", str(table), "--delay", "300", "--json", "--chart", str(chart)]
    )
    assert result.exit_code == 0, result.output
    rules = json.loads(result.stdout)["rules"]
    assert set(rules["silence alone"]) >= {"tuning", "judging"}
    shown = ElementTree.parse(chart).getroot().itertext()
    assert {"stock livekit-agents", "this agent", "this agent, no sentence model"} <= {text.strip() for text in shown}
    with table.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 60


def test_the_wait_of_this_agent_goes_by_how_the_sentence_reads() -> None:
    """With the sentence model the same words and voice wait longer when they read unfinished; without it alike."""
    reads = [score("a", over=True, probability=0.5, text="I will go home.", unfinished=far) for far in (-1.0, 1.5)]
    policies = {policy.name: policy for policy in policies_for([], examples(60), 300)}
    soon, late = (policies["this agent"].wait_s(read) for read in reads)
    assert soon < late
    same, alike = (policies["this agent without a sentence model"].wait_s(read) for read in reads)
    assert same == alike


def test_scores_of_an_older_version_are_refused(tmp_path: Path) -> None:
    """They lack how unfinished the words read: one line says what is missing, and what to do."""
    scores = tmp_path / "scores.json"
    rows = [score.to_row() for score in examples(4)]
    for row in rows:
        del row["unfinished"]
    scores.write_text(json.dumps(rows))
    result = RUNNER.invoke(app, ["turns", "--scores", str(scores)])
    assert result.exit_code == 1
    assert "make them anew" in result.stderr
    assert "unfinished" in result.stderr


def test_a_delay_that_is_not_scored_is_refused() -> None:
    """One line says which delays there are."""
    result = RUNNER.invoke(app, ["turns", "--delay", "123"])
    assert result.exit_code == 1
    assert "150, 200, 300, 500" in result.stderr
