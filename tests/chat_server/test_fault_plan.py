"""The description of faults: what it refuses, whom it strikes, and that chance is the same each time."""

import json

import pytest
from pydantic import ValidationError

from agent.dev.chat.credentials import Kind, Principal
from agent.dev.chat.fault_switch import Faults, Subject
from agent.dev.chat.faults import Deaf, DropAfterStoring, DropBeforeStoring, FaultPlan, Freeze

WORKER = Subject.of("guide", Principal(Kind.AGENT, "agent"), "c1")
PERSON = Subject.of("unpod", Principal(Kind.VISITOR, "v"), "c2")


def pattern(plan: FaultPlan, count: int = 200) -> list[bool]:
    faults = Faults(plan)
    return [faults.strike(DropAfterStoring, WORKER) is not None for _ in range(count)]


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"kind": "meteor"}, "meteor"),
        ({"kind": "deaf", "after": 3}, "after"),
        ({"kind": "deaf", "when": "later"}, "when"),
        ({"kind": "deaf", "times": 0}, "times"),
        ({"kind": "deaf", "times": "3"}, "times"),
        ({"kind": "deaf", "skip": -1}, "skip"),
        ({"kind": "deaf", "probability": 1.5}, "probability"),
        ({"kind": "deaf", "probability": 0.5}, "seed"),
        ({"kind": "deaf", "dialect": "latin"}, "dialect"),
        ({"kind": "deaf", "who": "me"}, "who"),
        ({"kind": "deaf", "conversation": "a b"}, "conversation"),
        ({"kind": "freeze", "seconds": -1}, "seconds"),
        ({"kind": "guide_only", "dialect": "unpod"}, "dialect"),
        ({"kind": "guide_only", "times": 3}, "times"),
        ({"kind": "collided_places", "every": 1}, "every"),
    ],
)
def test_what_no_plan_can_say_is_named(fault: dict[str, object], named: str) -> None:
    """An unknown kind or member, or a value out of its range, is an error that names it."""
    with pytest.raises(ValidationError, match=named):
        FaultPlan.model_validate_json(json.dumps({"faults": [fault]}))


def test_a_plan_survives_json() -> None:
    """A plan that is written and read is the same plan."""
    plan = FaultPlan(faults=(Freeze(seconds=0.5, dialect="unpod"), Deaf(when="connect", probability=0.1)), seed=3)
    assert FaultPlan.model_validate_json(plan.model_dump_json()) == plan


def test_a_fault_is_for_those_whom_it_names() -> None:
    """Dialect, kind of client and conversation narrow it down; others are no occasion and use up no count."""
    for narrow in (
        DropAfterStoring(dialect="guide", times=1),
        DropAfterStoring(who="agent", times=1),
        DropAfterStoring(conversation="c1", times=1),
    ):
        faults = Faults(FaultPlan(faults=(narrow,)))
        assert faults.strike(DropAfterStoring, PERSON) is None
        assert faults.strike(DropBeforeStoring, WORKER) is None
        assert faults.strike(DropAfterStoring, WORKER) is narrow
        assert faults.strike(DropAfterStoring, WORKER) is None
        assert faults.caused == {"drop_after_storing": 1}


def test_skip_and_times() -> None:
    """The first occasions pass, the next ones are struck, the rest passes again; a new plan counts anew."""
    plan = FaultPlan(faults=(DropAfterStoring(skip=2, times=3),))
    assert pattern(plan, 7) == [False, False, True, True, True, False, False]
    faults = Faults(plan)
    for _ in range(2):
        for _ in range(10):
            faults.strike(DropAfterStoring, WORKER)
        faults.switch(plan)
    assert faults.caused == {"drop_after_storing": 6}


def test_chance_follows_the_seed() -> None:
    """The same seed strikes the same occasions, about as often as it should; another seed strikes others."""
    plan = FaultPlan(faults=(DropAfterStoring(probability=0.3),), seed=1)
    assert pattern(plan) == pattern(plan)
    assert 30 < sum(pattern(plan)) < 90
    assert pattern(plan) != pattern(plan.model_copy(update={"seed": 2}))
    assert sum(pattern(FaultPlan(faults=(DropAfterStoring(probability=0.3, times=4),), seed=1))) == 4
