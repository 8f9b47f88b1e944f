"""From events in rooms to turns."""

from bench.density.turns import Event, first_audible, turns_of


def _turn(start: float, end: float, call: str = "a", name: str = "hello") -> list[Event]:
    return [Event("turn_began", call, start, name), Event("turn_ended", call, end, name)]


def _agent(start: float, end: float, call: str = "a") -> list[Event]:
    return [Event("agent_began", call, start), Event("agent_ended", call, end)]


def test_an_answer_is_timed_from_the_end_of_the_sentence() -> None:
    """To the first audible packet, whatever else is said in the call before and after."""
    events = [*_agent(0.0, 1.0), *_turn(2.0, 4.0), *_agent(5.25, 7.0), *_turn(12.0, 13.0), *_agent(14.0, 15.0)]
    turns = turns_of(events)
    assert [(turn.reply_ms, turn.cut_off, turn.missed) for turn in turns] == [
        (1250.0, False, False),
        (1000.0, False, False),
    ]


def test_calls_are_kept_apart() -> None:
    """An agent's voice in another room answers nothing here."""
    events = [*_turn(0.0, 1.0), *_agent(2.0, 3.0, "b"), *_turn(10.0, 11.0), *_agent(12.0, 13.0), Event("left", "b", 30)]
    assert [(turn.call, turn.missed) for turn in turns_of(events)] == [("a", True), ("a", False)]


def test_an_agent_that_speaks_before_the_end_has_cut_off() -> None:
    """Also one that still speaks from before, and one that cannot have waited for the end."""
    during = [*_turn(0.0, 3.0), *_agent(2.0, 5.0)]
    still = [*_agent(0.0, 11.0), *_turn(10.0, 12.0), *_agent(13.0, 14.0)]
    too_soon = [*_turn(0.0, 3.0), *_agent(3.2, 5.0)]
    for events in (during, still, too_soon):
        (turn,) = turns_of(events)
        assert (turn.reply_ms, turn.cut_off, turn.missed) == (None, True, False)


def test_a_late_answer_is_missing() -> None:
    """It belongs to no turn once the patience is over."""
    (turn,) = turns_of([*_turn(0.0, 1.0), *_agent(9.5, 10.0)])
    assert turn.missed


def test_a_turn_that_may_still_be_answered_is_left_out() -> None:
    """A measurement that ends just then says nothing of it."""
    assert turns_of(_turn(0.0, 1.0)) == []
    assert turns_of([]) == []


def test_the_first_word_of_a_call_is_after_its_dispatch() -> None:
    """What was audible before, or elsewhere, is not it."""
    events = [*_agent(1.0, 2.0), *_agent(3.0, 4.0), *_agent(2.5, 3.0, "b")]
    assert first_audible(events, "a", 2.0) == 3.0
    assert first_audible(events, "a", 5.0) is None
