"""Which numbers of calls are tried, and which went well."""

import pytest

from bench.density.options import parse_calls
from bench.density.search import most_calls, next_calls, p95_ms, went_well
from bench.density.turns import Turn


def _tried(limit: int, ladder: tuple[int, ...], *, refine: bool) -> list[int]:
    outcomes: dict[int, bool] = {}
    while (calls := next_calls(ladder, outcomes, refine)) is not None:
        outcomes[calls] = calls <= limit
    return list(outcomes)


def test_more_calls_are_tried_until_they_are_too_many() -> None:
    """And with `refine` the exact limit is looked for, never a number twice."""
    assert _tried(5, (1, 2, 5, 10, 15), refine=False) == [1, 2, 5, 10]
    assert _tried(8, (1, 2, 5, 10, 15), refine=True) == [1, 2, 5, 10, 7, 8, 9]
    assert _tried(99, (1, 2), refine=True) == [1, 2]


@pytest.mark.parametrize("limit", range(1, 12))
def test_the_limit_that_is_found_is_the_limit(limit: int) -> None:
    """Whatever it is, as long as the ladder reaches beyond."""
    outcomes = {calls: calls <= limit for calls in _tried(limit, (1, 2, 5, 12), refine=True)}
    assert most_calls(outcomes) == limit


def test_a_number_beyond_one_that_failed_does_not_count() -> None:
    """Eight calls that went well by chance do not hide that seven did not."""
    assert most_calls({1: True, 5: True, 7: False, 8: True}) == 5
    assert most_calls({1: False}) == 0


def _turns(*times: float | None, cut_off: bool = False) -> list[Turn]:
    return [Turn("call", "name", 0.0, time, cut_off, time is None and not cut_off) for time in times]


def test_a_missing_answer_is_worse_than_a_late_one() -> None:
    """It counts as the whole patience; what was cut off counts as nothing."""
    assert p95_ms(_turns(1000.0, 1000.0)) == 1000.0
    assert (p95_ms(_turns(1000.0, None)) or 0.0) > 7000.0
    assert p95_ms([*_turns(1000.0), *_turns(None, cut_off=True)]) == 1000.0
    assert p95_ms([]) is None


def test_it_goes_well_up_to_the_growth_that_is_allowed() -> None:
    """1.3 times the 95th percentile of one call."""
    one_call = _turns(1000.0)
    assert went_well(_turns(1290.0), one_call)
    assert not went_well(_turns(1310.0), one_call)
    assert not went_well([], one_call)


def test_answers_into_the_next_turn_are_not_well() -> None:
    """They are too late to be timed, and those that can be timed may be quick."""
    quick = _turns(*[1000.0] * 8)
    assert went_well(quick, quick)
    assert not went_well([*quick, *_turns(None, None, cut_off=True)], quick)
    assert went_well([*quick, *_turns(None, None, cut_off=True)], [*quick, *_turns(None, cut_off=True)])


def test_numbers_of_calls_rise() -> None:
    """Anything else is refused with the text that was given."""
    assert parse_calls("1,2,5") == (1, 2, 5)
    for wrong in ("", "1,x", "2,1", "0,1", "1,1"):
        with pytest.raises(ValueError, match="--calls"):
            parse_calls(wrong)
