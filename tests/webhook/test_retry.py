"""When a notice is tried again and when it is given up."""

from hypothesis import given
from hypothesis import strategies as st

from agent.webhook.retry import Again, GiveUp, Refused, Retries, Unavailable, next_step

RETRIES = Retries(first_s=1.0, longest_s=60.0, refusals=3, oldest_s=1_000.0)


def step(outcome: Refused | Unavailable, attempts: int = 1, refusals: int = 1, waited_s: float = 0.0) -> Again | GiveUp:
    return next_step(
        outcome, attempts=attempts, refusals=refusals, waited_s=waited_s, retries=RETRIES, spread=lambda: 1.0
    )


def test_pauses_double_up_to_the_longest() -> None:
    """1, 2, 4 … 60 seconds."""
    pauses = [step(Unavailable("down"), attempts) for attempts in range(1, 9)]
    assert pauses == [Again(s) for s in (1, 2, 4, 8, 16, 32, 60, 60)]


@given(attempts=st.integers(1, 10_000), dice=st.floats(0, 1))
def test_pauses_are_spread_but_never_short(attempts: int, dice: float) -> None:
    """Two workers do not come back at the same moment; nobody is asked without a pause."""
    full = RETRIES.pause(attempts, lambda: 1.0)
    assert full / 2 <= RETRIES.pause(attempts, lambda: dice) <= full <= 60


def test_a_receiver_that_refuses_is_asked_three_times() -> None:
    """The third refusal is the last, and says what was answered."""
    assert isinstance(step(Refused("answered 404"), attempts=2, refusals=2), Again)
    assert step(Refused("answered 404"), attempts=3, refusals=3) == GiveUp("answered 404, 3 times")


def test_a_receiver_that_is_down_is_asked_for_days() -> None:
    """However often; only age ends it."""
    assert isinstance(step(Unavailable("down"), attempts=900, refusals=0, waited_s=999.0), Again)
    assert isinstance(step(Unavailable("down"), attempts=2, refusals=0, waited_s=1_000.0), GiveUp)


def test_a_receiver_may_ask_for_more_time_but_not_for_any() -> None:
    """`retry-after` counts up to the longest pause."""
    assert step(Unavailable("busy", retry_after_s=20.0)) == Again(20.0)
    assert step(Unavailable("busy", retry_after_s=100_000.0)) == Again(60.0)
    assert step(Unavailable("busy", retry_after_s=0.0), attempts=3) == Again(4.0)
