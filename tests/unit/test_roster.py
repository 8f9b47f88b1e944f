"""Which of several models is asked when: rests that grow, wishes to be left alone, and coming back."""

import pytest

from agent.models.roster import Roster


def new_roster(size: int = 2) -> Roster:
    return Roster(size, rest=5.0, longest_rest=120.0)


def fail(roster: Roster, index: int, now: float, retry_after: float | None = None) -> None:
    roster.failed(index, asked_at=now, now=now, retry_after=retry_after)


def test_the_first_is_preferred_until_it_fails() -> None:
    """The order is that of the list; one that rests comes last, since it is better than nobody."""
    roster = new_roster(3)
    assert list(roster.order(0.0)) == [0, 1, 2]
    fail(roster, 0, 1.0)
    assert list(roster.order(1.0)) == [1, 2, 0]
    assert list(roster.order(6.0)) == [0, 1, 2]


def test_each_failure_doubles_the_rest() -> None:
    """5, 10, 20, 40, 80, 120, 120 seconds, however long that goes on."""
    roster = new_roster()
    now, rests = 0.0, []
    for _ in range(7):
        fail(roster, 0, now)
        began = now
        while roster.order(now)[0] != 0:
            now += 1.0
        rests.append(now - began)
    assert rests == [5, 10, 20, 40, 80, 120, 120]


def test_requests_that_fail_together_count_once() -> None:
    """Five that hung when the provider died are one failure."""
    roster = new_roster()
    for _ in range(5):
        roster.failed(0, asked_at=0.0, now=4.0)
    assert list(roster.order(9.0)) == [0, 1]


def test_one_that_works_again_is_trusted_step_by_step() -> None:
    """A provider that works every other time does not make the caller wait again and again."""
    roster = new_roster()
    fail(roster, 0, 0.0)
    fail(roster, 0, 5.0)
    assert roster.worked(0)
    assert list(roster.order(15.0)) == [0, 1]
    fail(roster, 0, 16.0)
    assert list(roster.order(25.0)) == [1, 0]
    assert list(roster.order(26.0)) == [0, 1]


def test_one_that_never_failed_has_not_recovered() -> None:
    """Only a change is told."""
    roster = new_roster()
    assert not roster.worked(0)
    fail(roster, 0, 0.0)
    assert roster.worked(0)
    assert not roster.worked(0)


@pytest.mark.parametrize("retry_after", [1.0, 60.0])
def test_whoever_asks_to_be_left_alone_is(retry_after: float) -> None:
    """Not even as a last resort; afterwards it is in its place again, after its rest."""
    roster = new_roster()
    fail(roster, 0, 0.0, retry_after)
    assert list(roster.order(retry_after - 0.1)) == [1]
    assert 0 in roster.order(retry_after)
    assert list(roster.order(max(retry_after, 5.0))) == [0, 1]


def test_when_all_are_left_alone_it_is_known_until_when() -> None:
    """The first of them is waited for."""
    roster = new_roster()
    fail(roster, 0, 0.0, 30.0)
    fail(roster, 1, 0.0, 2.0)
    assert list(roster.order(1.0)) == []
    assert roster.next_free() == 2.0
