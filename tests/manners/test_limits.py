"""Limits: what is reached, what is near, and that the end is announced once."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.job.spec import Limits
from agent.manners.limits import Limit, LimitPolicy, LimitStep, Spent

LIMITS = st.builds(
    Limits,
    max_duration_s=st.none() | st.floats(10, 10_000),
    max_turns=st.none() | st.integers(1, 100),
    max_cost=st.none() | st.floats(0.01, 100),
)
GROWTH = st.lists(
    st.tuples(st.floats(0, 200), st.integers(0, 2), st.decimals(0, 5, places=3, allow_nan=False)), max_size=80
)


@given(LIMITS, GROWTH)
def test_the_end_is_announced_at_most_once_and_before_it(
    limits: Limits, growth: list[tuple[float, int, Decimal]]
) -> None:
    """However a call goes: at most one announcement, none after a limit is reached, and it stays reached."""
    policy = LimitPolicy(limits)
    seconds, turns, cost = 0.0, 0, Decimal(0)
    steps = []
    for more_seconds, more_turns, more_cost in growth:
        seconds, turns, cost = seconds + more_seconds, turns + more_turns, cost + more_cost
        steps.append(policy.step(Spent(seconds, turns, cost)))
    told = [step for step in steps if step is not LimitStep.GO_ON]
    assert told.count(LimitStep.ANNOUNCE) <= 1
    assert LimitStep.ANNOUNCE not in told[1:]
    if LimitStep.LEAVE in steps:
        assert set(steps[steps.index(LimitStep.LEAVE) :]) == {LimitStep.LEAVE}


@given(st.floats(0, 1e6), st.integers(0, 10_000))
def test_without_limits_nothing_is_done(seconds: float, turns: int) -> None:
    """Nor is a cost that is not known a reason."""
    assert LimitPolicy(Limits()).step(Spent(seconds, turns, Decimal(1_000_000))) is LimitStep.GO_ON
    assert LimitPolicy(Limits(max_cost=0.01)).step(Spent(seconds, turns, None)) is LimitStep.GO_ON


@given(st.floats(10, 10_000))
def test_it_is_known_when_time_alone_makes_something_due(duration: float) -> None:
    """Nothing is announced or reached in between."""
    policy = LimitPolicy(Limits(max_duration_s=duration))
    near, over = policy.moments
    assert policy.step(Spent(near - 0.01, 0, None)) is LimitStep.GO_ON
    assert policy.step(Spent(near + 1e-6, 0, None)) is LimitStep.ANNOUNCE
    assert policy.step(Spent(over - 0.01, 0, None)) is LimitStep.GO_ON
    assert policy.step(Spent(over, 0, None)) is LimitStep.LEAVE
    assert LimitPolicy(Limits(max_turns=3)).moments == ()


@pytest.mark.parametrize(
    ("limits", "spent", "step"),
    [
        (Limits(max_duration_s=600), Spent(569, 0, None), LimitStep.GO_ON),
        (Limits(max_duration_s=600), Spent(570, 0, None), LimitStep.ANNOUNCE),
        (Limits(max_duration_s=10), Spent(8, 0, None), LimitStep.ANNOUNCE),
        (Limits(max_duration_s=600), Spent(600, 0, None), LimitStep.LEAVE),
        (Limits(max_turns=5), Spent(0, 3, None), LimitStep.GO_ON),
        (Limits(max_turns=5), Spent(0, 4, None), LimitStep.ANNOUNCE),
        (Limits(max_turns=5), Spent(0, 5, None), LimitStep.LEAVE),
        (Limits(max_turns=1), Spent(0, 0, None), LimitStep.GO_ON),
        (Limits(max_cost=1), Spent(0, 0, Decimal("0.79")), LimitStep.GO_ON),
        (Limits(max_cost=1), Spent(0, 0, Decimal("0.8")), LimitStep.ANNOUNCE),
        (Limits(max_cost=1), Spent(0, 0, Decimal(1)), LimitStep.LEAVE),
    ],
)
def test_where_the_end_is_near(limits: Limits, spent: Spent, step: LimitStep) -> None:
    """A fifth of it, but no more than half a minute; the last turn; never at the very beginning."""
    assert LimitPolicy(limits).step(spent) is step


def test_the_reason_is_the_limit_that_is_reached() -> None:
    """It stands in the journal and in the log."""
    assert LimitPolicy(Limits(max_turns=1)).reached(Spent(0, 1, None)) is Limit.TURNS
    assert LimitPolicy(Limits(max_duration_s=10)).reached(Spent(10, 0, None)) is Limit.DURATION
    assert LimitPolicy(Limits(max_cost=0.5)).reached(Spent(0, 0, Decimal(1))) is Limit.COST
