"""Verdicts: what was witnessed beside what is expected, and the ratchet of what holds today."""

from typing import Any

import pytest

from tests.scenes.check import Verdict, Witnessed, WitnessedTurn, check
from tests.scenes.ratchet import tightened
from tests.scenes.script import Expectation, Said, Scene

# The caller speaks from 1 to 3 s; the agent answers from 3.5 to 6 s, and again from 8 to 9 s.
WITNESSED = Witnessed(
    moments={"sentence.start": 1.0, "sentence.end": 3.0},
    agent=((3.5, 6.0), (8.0, 9.0)),
    turns=(
        WitnessedTurn("user", "Ten of clubs.", 1.0, False),
        WitnessedTurn("assistant", "You said: ten of clubs.", 3.5, True),
    ),
    seconds=12.0,
)


def verdict_on(**expected: Any) -> Verdict:
    """The verdict on one expectation."""
    scene = Scene(
        title="One of many scenes",
        say=(Said(id="sentence", clip="card_001", at=1.0),),
        expect=(Expectation(**expected),),
    )
    return check(scene, WITNESSED)[0]


@pytest.mark.parametrize(
    "expected",
    [
        {"event": "agent_starts", "after": "sentence.end", "within_ms": 500},
        {"event": "agent_starts", "count": 2},
        {"event": "agent_stops", "after": "agent.1.start", "within_ms": 2500},
        {"event": "agent_speaks", "after": "start", "before": "sentence.end", "absent": True},
        {"event": "agent_speaks", "after": "agent.1.end", "before": "agent.2.start", "absent": True},
        {"event": "user_turn", "says": "sentence", "count": 1},
        {"event": "agent_turn", "says": "ten of clubs", "interrupted": True},
        {"event": "agent_turn", "interrupted": False, "absent": True},
        {"event": "agent_starts", "after": "agent.2.end", "absent": True},
    ],
)
def test_what_is_expected_and_happens_holds(expected: dict[str, Any]) -> None:
    """Times are counted from what was heard, words from what was understood."""
    verdict = verdict_on(**expected)
    assert (verdict.holds, verdict.as_wanted) == (True, True), verdict.found


@pytest.mark.parametrize(
    "expected",
    [
        {"event": "agent_starts", "after": "sentence.end", "within_ms": 499},
        {"event": "agent_starts", "count": 1},
        {"event": "agent_speaks", "after": "sentence.end", "absent": True},
        {"event": "agent_speaks", "after": "agent.2.end"},
        {"event": "user_turn", "says": "nine of spades"},
        {"event": "agent_turn", "interrupted": False},
        {"event": "agent_starts", "after": "agent.3.start"},
        {"event": "agent_starts", "after": "agent.3.start", "absent": True},
    ],
)
def test_what_does_not_happen_or_must_not_does_not_hold(expected: dict[str, Any]) -> None:
    """A moment that never came proves nothing, not even that something did not happen after it."""
    assert not verdict_on(**expected).holds


def test_what_was_spoken_into_counts_as_speaking_although_it_began_before() -> None:
    """The agent speaks when the window opens."""
    assert not verdict_on(event="agent_speaks", after="agent.1.start", before="agent.1.end", absent=True).holds


def test_less_than_is_wanted_is_enough_today_and_never_less_than_that() -> None:
    """500 ms were measured: 400 are wanted, 600 hold today, 450 would not."""
    timed = {"event": "agent_starts", "after": "sentence.end", "within_ms": 400}
    assert verdict_on(**timed, today={"within_ms": 600}).holds
    assert not verdict_on(**timed, today={"within_ms": 450}).holds
    assert not verdict_on(**timed, today={"within_ms": 600}).as_wanted


def test_what_fails_today_must_fail_so_that_nobody_forgets_to_ask_for_it() -> None:
    """As soon as what is wanted holds, the mark is an error."""
    assert verdict_on(event="agent_starts", count=1, today={"fails": True}).holds
    held = verdict_on(event="agent_starts", count=2, today={"fails": True})
    assert not held.holds
    assert "remove `today`" in held.found


def test_tightening_takes_out_what_is_not_needed_and_nothing_else() -> None:
    """Comments and all other lines of a scene stay as they are."""
    text = (
        "# why\nexpect:\n"
        "  - {event: agent_starts, count: 2, today: {fails: true, why: old}}\n"
        "  # what is still missing\n"
        "  - {event: agent_starts, count: 1, today: {fails: true}}\n"
    )
    verdicts = [
        verdict_on(event="agent_starts", count=2, today={"fails": True}),
        verdict_on(event="agent_starts", count=1, today={"fails": True}),
    ]
    assert tightened(text, verdicts) == text.replace(", today: {fails: true, why: old}", "")
    with pytest.raises(ValueError, match="line of its own"):
        tightened(text, verdicts[:1])
