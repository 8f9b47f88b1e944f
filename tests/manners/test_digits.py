"""Digits of a keypad: what was pressed arrives, in order, and none of it twice."""

from hypothesis import given
from hypothesis import strategies as st

from agent.manners.digits import END, KEYS, MOST_DIGITS, PAUSE_S, Digits

PRESSES = st.lists(st.tuples(st.sampled_from(sorted(KEYS)), st.floats(0.0, 4.0)), max_size=200)


@given(PRESSES)
def test_every_digit_arrives_once_in_order(presses: list[tuple[str, float]]) -> None:
    """Whatever the pauses: the messages together are what was pressed, each ended by `#`, a pause, or its length."""
    digits, now = Digits(), 0.0
    messages = []
    for key, seconds in presses:
        now += seconds
        if digits.ends_at is not None and now >= digits.ends_at:
            messages.append(digits.take())
        messages.append(digits.press(key, now))
    messages.append(digits.take())
    got = [message for message in messages if message is not None]
    assert "".join(got) == "".join(key for key, _ in presses)
    assert all(END not in message[:-1] and len(message) <= MOST_DIGITS for message in got)


def test_a_pause_ends_a_number() -> None:
    """It is counted from the last digit."""
    digits = Digits()
    assert digits.press("4", 1.0) is None
    assert digits.press("2", 2.0) is None
    assert digits.ends_at == 2.0 + PAUSE_S
    assert digits.take() == "42"
    assert digits.ends_at is None


@given(st.text(max_size=4).filter(lambda text: text.strip().upper() not in KEYS))
def test_what_is_no_key_is_left_out(text: str) -> None:
    """Whatever a gateway sends."""
    digits = Digits()
    assert digits.press(text, 0.0) is None
    assert digits.take() is None
