"""Whether a worker takes one more call: by measure, by count, and with what was accepted a moment ago."""

import math

from hypothesis import given
from hypothesis import strategies as st

from agent.worker.admission import (
    FURTHEST,
    START_S,
    TARGET_LOAD,
    WINDOW_S,
    Demand,
    Limits,
    Refusal,
    learned_cost,
    load,
    places,
    refusal,
    told_load,
    unseen_part,
)

COST = 0.1
shares = st.floats(0, 1)
costs = st.floats(0.001, 2)
limits = st.builds(Limits, st.one_of(st.floats(0.05, 1), st.just(math.inf)), st.integers(0, 40))


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    """Any moment of a worker."""
    calls = draw(st.integers(0, 60))
    return Demand(draw(shares), calls, draw(st.floats(0, 1)) * calls, draw(costs))


def taken_of_a_burst(demand: Demand, limit: Limits, offered: int) -> int:
    """How many calls are taken that come so fast that no measurement lies between them."""
    for taken in range(offered):
        if refusal(demand, limit) is not None:
            return taken
        demand = Demand(demand.measured, demand.calls + 1, demand.unseen + 1, demand.cost)
    return offered


def test_of_a_burst_no_more_is_taken_than_there_is_room_for() -> None:
    """The measure says 0.3 all the time; each call counts as soon as it is accepted (livekit/agents 4884)."""
    assert taken_of_a_burst(Demand(0.3, 3, 0, COST), Limits(0.7), 10) == 4


def test_what_the_measure_shows_is_not_counted_twice() -> None:
    """Once it shows the calls, only the measure counts."""
    young, old = (Demand(0.5, 2, 2 * unseen_part(age), COST) for age in (0.0, START_S + WINDOW_S))
    assert math.isclose(load(young, Limits(0.7)), 0.7)
    assert load(old, Limits(0.7)) == 0.5
    assert refusal(young, Limits(0.7)) is Refusal.LOAD
    assert refusal(old, Limits(0.7)) is None


def test_a_count_can_be_set() -> None:
    """With room for the CPU, or with no limit of the load at all."""
    for load_limit in (0.7, math.inf):
        limit = Limits(load_limit, calls=2)
        assert refusal(Demand(0.0, 1, 1, COST), limit) is None
        assert refusal(Demand(0.0, 2, 2, COST), limit) is Refusal.CALLS


def test_a_small_machine_takes_a_call_though_one_is_more_than_its_limit() -> None:
    """Else it would never take any."""
    assert taken_of_a_burst(Demand(0.0, 0, 0, 3.0), Limits(0.7), 10) == 1


def test_without_limits_every_call_is_taken() -> None:
    """On one's own machine, however busy it is."""
    busy = Demand(1.0, 500, 500, COST)
    assert refusal(busy, Limits(math.inf)) is None
    assert told_load(busy, Limits(math.inf)) == 0.0


@given(demands(), limits)
def test_places_are_what_a_burst_takes(demand: Demand, limit: Limits) -> None:
    """Whoever looks for calls that wait, sends as many as will be taken (within one: the sums are of floats)."""
    promised = places(demand, limit)
    taken = taken_of_a_burst(demand, limit, min(promised + 2, 100))
    assert abs(min(promised, 100) - min(taken, 100)) <= 1
    assert (promised == 0) == (taken == 0)


@given(demands(), limits)
def test_livekit_is_told_a_load_that_keeps_calls_away_only_when_there_is_no_room(demand: Demand, limit: Limits) -> None:
    """At `TARGET_LOAD` a node gets none any more, and at 1 a worker."""
    told = told_load(demand, limit)
    if refusal(demand, limit) is None:
        assert 0 <= told < TARGET_LOAD
    else:
        assert told == 1.0


@given(demands(), limits, st.floats(0, 1), st.integers(0, 20))
def test_more_to_do_never_makes_room(demand: Demand, limit: Limits, measured: float, calls: int) -> None:
    """Load and what LiveKit is told only grow with what is on, and the places only shrink."""
    more = Demand(max(demand.measured, measured), demand.calls + calls, min(demand.unseen + calls, 100.0), demand.cost)
    assert load(more, limit) >= load(demand, limit)
    assert told_load(more, limit) >= told_load(demand, limit)
    assert places(more, limit) <= places(demand, limit)


@given(demands(), st.floats(0.05, 1), st.integers(0, 40))
def test_the_load_says_by_itself_that_there_is_no_room(demand: Demand, load_limit: float, calls: int) -> None:
    """Alerts and autoscalers compare the load with its limit, and need not know of the count."""
    limit = Limits(load_limit, calls)
    assert (load(demand, limit) >= load_limit) == (refusal(demand, limit) is not None)


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_call_is_forgotten_by_the_count_as_the_measure_learns_of_it(earlier: float, later: float) -> None:
    """From 1 to 0, and never back."""
    earlier, later = sorted((earlier, later))
    assert 1 >= unseen_part(earlier) >= unseen_part(later) >= 0
    assert unseen_part(0) == 1
    assert unseen_part(START_S + WINDOW_S) == 0


def test_the_cost_of_a_call_is_learned() -> None:
    """Ten calls that use half the CPU cost 0.05 each, whatever was set."""
    cost = COST
    for _ in range(100):
        cost = learned_cost(cost, 0.5, 10, COST)
    assert math.isclose(cost, 0.05, rel_tol=0.01)


@given(costs, st.lists(st.tuples(shares, st.integers(1, 60))))
def test_what_is_learned_stays_near_what_was_set(set_to: float, seen: list[tuple[float, int]]) -> None:
    """A minute in which nobody speaks, or a machine that is busy with something else, teaches nothing absurd."""
    cost = set_to
    for used, calls in seen:
        cost = learned_cost(cost, used, calls, set_to)
        assert set_to / FURTHEST <= cost <= set_to * FURTHEST
