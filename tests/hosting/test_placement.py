"""Who gets a place in which process, and which process may go."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.hosting.placement import MOST_STRANDED, WORN_OUT_AFTER, Occupancy, choose, is_spare

SEATS = 4
EMPTY = Occupancy(SEATS, taken=0, opened=0, stranded=0, usable=True)
HALF_FULL = replace(EMPTY, taken=2, opened=2)
FULL = replace(EMPTY, taken=SEATS, opened=SEATS)
DEAD = replace(HALF_FULL, usable=False)
WORN_OUT = replace(HALF_FULL, opened=WORN_OUT_AFTER)
LITTERED = replace(HALF_FULL, stranded=MOST_STRANDED)

occupancies = st.lists(
    st.builds(
        Occupancy,
        seats=st.just(SEATS),
        taken=st.integers(0, SEATS),
        opened=st.integers(0, 2 * WORN_OUT_AFTER),
        stranded=st.integers(0, 2 * MOST_STRANDED),
        usable=st.booleans(),
    ),
    max_size=6,
)


def test_the_fullest_that_has_room_is_chosen() -> None:
    """So that as few processes as possible are there; of two alike the older one."""
    assert choose([EMPTY, HALF_FULL, FULL]) == 1
    assert choose([HALF_FULL, HALF_FULL]) == 0


def test_after_a_crash_a_call_gets_a_process_for_itself() -> None:
    """Nobody knows which call killed it; if one does so again, it does it alone."""
    assert choose([HALF_FULL, EMPTY], apart=True) == 1
    assert choose([HALF_FULL, FULL], apart=True) is None


def test_none_is_chosen_that_is_full_or_dead_or_worn_out() -> None:
    """Another process is needed then."""
    assert choose([]) is None
    assert choose([FULL, DEAD, WORN_OUT, LITTERED]) is None


def test_an_empty_process_goes_when_the_next_call_has_room_elsewhere() -> None:
    """After many calls at once the memory is free again; the last one stays, loaded."""
    assert is_spare(EMPTY, [HALF_FULL])
    assert not is_spare(EMPTY, [FULL, DEAD])
    assert not is_spare(EMPTY, [])
    assert not is_spare(HALF_FULL, [EMPTY])


def test_a_process_that_gets_no_more_calls_goes_with_its_last_one() -> None:
    """Dead, worn out, or full of what calls have left."""
    assert is_spare(replace(WORN_OUT, taken=0), [])
    assert is_spare(replace(LITTERED, taken=0), [])
    assert is_spare(replace(DEAD, taken=0), [])
    assert not is_spare(WORN_OUT, [EMPTY])
    assert not is_spare(LITTERED, [EMPTY])


@given(occupancies)
def test_nobody_gets_a_place_that_is_not_there(processes: list[Occupancy]) -> None:
    """Whatever the processes are, and with room anywhere a place is found."""
    index = choose(processes)
    assert (index is not None) == any(process.has_room for process in processes)
    assert index is None or processes[index].has_room


@given(occupancies)
def test_the_last_room_is_never_given_up(processes: list[Occupancy]) -> None:
    """One after the other, spare processes go; where there was room there is still."""
    had_room = any(process.has_room for process in processes)
    left = list(processes)
    for process in processes:
        others = [other for other in left if other is not process]
        if is_spare(process, others):
            left = others
    assert any(process.has_room for process in left) == had_room
