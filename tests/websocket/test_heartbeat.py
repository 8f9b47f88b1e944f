"""When to ask whether a link lives, and when to give it up: all times are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.websocket import Heartbeat, Options
from agent.websocket.heartbeat import Action, Due, Liveness


def test_a_silent_link_is_asked_after_the_interval_and_given_up_after_the_timeout() -> None:
    """Like the JavaScript library's: 25 and 60 seconds by default, here 10 and 30."""
    liveness = Liveness(10, 30, now=100, only_when_silent=True)
    assert liveness.due(100) == Due(Action.WAIT, 10)
    assert liveness.due(110).action is Action.ASK
    liveness.asked(110)
    assert liveness.due(110) == Due(Action.WAIT, 10)
    assert liveness.due(129.9).action is Action.ASK
    assert liveness.due(130).action is Action.GIVE_UP
    assert (Heartbeat().interval, Heartbeat().timeout, Heartbeat().message) == (25.0, 60.0, "ping")


def test_any_message_is_a_sign_of_life_and_puts_the_next_question_off() -> None:
    """A busy link needs no heartbeats."""
    liveness = Liveness(10, 30, now=0, only_when_silent=True)
    for now in range(1, 100, 9):
        assert liveness.due(now).action is Action.WAIT
        liveness.heard(now)


def test_pings_go_on_while_messages_come() -> None:
    """The round trip of a busy link is measured, too; its messages keep it alive."""
    liveness = Liveness(10, 30, now=0, only_when_silent=False)
    liveness.heard(9)
    assert liveness.due(10).action is Action.ASK
    liveness.asked(10)
    for now in (19, 28, 37):
        liveness.heard(now, answer=False)
    assert liveness.due(38).action is not Action.GIVE_UP


def test_the_round_trip_is_measured_once_for_each_question() -> None:
    """From the question to the first answer."""
    liveness = Liveness(10, 30, now=0, only_when_silent=True)
    assert liveness.heard(5) is None
    liveness.asked(15)
    assert liveness.heard(15.2, answer=False) is None
    assert liveness.heard(15.25) == pytest.approx(0.25)
    assert liveness.heard(16) is None


@given(st.lists(st.tuples(st.sampled_from(["heard", "asked", "look"]), st.floats(0, 50)), max_size=50), st.booleans())
def test_a_link_is_never_given_up_early_and_never_late(steps: list[tuple[str, float]], only_when_silent: bool) -> None:
    """Exactly when nothing was heard for the time-out, whatever happened before; waiting never overshoots it."""
    liveness, now, heard = Liveness(10, 30, now=0, only_when_silent=only_when_silent), 0.0, 0.0
    for step, passed in steps:
        now += passed
        if step == "heard":
            liveness.heard(now)
            heard = now
        elif step == "asked":
            liveness.asked(now)
        due = liveness.due(now)
        assert (due.action is Action.GIVE_UP) == (now >= heard + 30)
        assert due.action is not Action.WAIT or 0 < due.seconds <= heard + 30 - now
        assert liveness.left(now) == max(0.0, heard + 30 - now)


def test_true_hides_the_answer_as_well() -> None:
    """In the JavaScript library the "pong" of `heartbeat: true` becomes lastMessage."""
    heartbeat = Options(heartbeat=True).heartbeat_options
    assert heartbeat is not None
    assert (heartbeat.message, heartbeat.return_message) == ("ping", "pong")
    assert Options().heartbeat_options is None
    assert Options(heartbeat=Heartbeat(message="hey")).heartbeat_options == Heartbeat(message="hey")


@pytest.mark.parametrize("wrong", [{"interval": 0}, {"timeout": -1}])
def test_senseless_times_are_refused(wrong: dict[str, float]) -> None:
    """A heartbeat without an interval would spin."""
    with pytest.raises(ValueError, match="interval and timeout"):
        Heartbeat(**wrong)  # type: ignore[arg-type]
