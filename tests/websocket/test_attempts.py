"""Whether and when a connection is opened again: hours of failures without a second of waiting."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.websocket import AddressError, Backoff, Close, ConnectError, HandshakeRefused, LinkLost, Options, StopReason
from agent.websocket.attempts import Attempts, Retry, Stop

LOST = Close(opened=True, seconds=1.0, error=LinkLost("lost"))
NEVER_OPENED = Close(error=ConnectError("no connection"))
STEADY = Backoff(jitter=0.0)


def options(**given: Any) -> Options:
    """Options without chance."""
    return Options(**{"reconnect_interval": STEADY, "chance": lambda: 0.0, **given})


def after(close: Close, **given: Any) -> Retry | Stop:
    """What follows the first end."""
    return Attempts(options(**given)).after(close)


def all_delays(close: Close, **given: Any) -> tuple[list[float], Stop]:
    """The pauses when every attempt ends in the same way, and the end."""
    attempts, delays = Attempts(options(**given)), list[float]()
    while True:
        match attempts.after(close):
            case Retry(_, delay):
                delays.append(delay)
            case Stop() as stop:
                return delays, stop


def test_ten_attempts_with_doubling_pauses_by_default() -> None:
    """The guide's best practice: 1, 2, 4, 8 … at most 30 seconds, ten times."""
    delays, stop = all_delays(NEVER_OPENED)
    assert delays == [1, 2, 4, 8, 16, 30, 30, 30, 30, 30]
    assert stop == Stop(StopReason.EXHAUSTED, 10)
    assert Options().reconnect_attempts == 10


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_jitter_only_shortens_a_pause(attempt: int, chance: float) -> None:
    """Many clients do not come back at once, and none waits longer than it says."""
    full = min(2.0 ** min(attempt, 10), 30.0)
    assert full * 0.8 <= Backoff(chance=lambda: chance)(attempt) <= full


@pytest.mark.parametrize(
    ("close", "reason"),
    [
        (Close(1000, opened=True), StopReason.NOT_WANTED),
        (Close(1008, opened=True), StopReason.REFUSED),
        (Close(4401, opened=True), StopReason.REFUSED),
        (Close(4403, opened=True), StopReason.REFUSED),
        (Close(error=HandshakeRefused(401)), StopReason.REFUSED),
        (Close(error=HandshakeRefused(403)), StopReason.REFUSED),
        (Close(error=HandshakeRefused(404)), StopReason.REFUSED),
        (Close(error=AddressError("none", final=True)), StopReason.NO_ADDRESS),
    ],
)
def test_final_ends_are_not_followed_by_another_attempt(close: Close, reason: StopReason) -> None:
    """Never after a normal close, nor where trying again cannot help."""
    assert after(close) == Stop(reason, 0)


@pytest.mark.parametrize("code", [1001, 1002, 1003, 1005, 1006, 1007, 1009, 1011, 1012, 1013, 4000])
def test_other_ends_are(code: int) -> None:
    """Everything else may be better the next time."""
    assert isinstance(after(Close(code, opened=True)), Retry)


def test_a_server_that_accepts_and_drops_is_not_retried_for_ever() -> None:
    """The attempts are counted anew only after a link that was stable."""
    delays, stop = all_delays(LOST, reconnect_attempts=4)
    assert (len(delays), stop.attempts) == (4, 4)


def test_a_stable_link_gives_all_attempts_back() -> None:
    """A drop after an hour is the first of its kind again."""
    attempts = Attempts(options(reconnect_attempts=2, stable_after=10.0))
    for close, delay in [(LOST, 1), (LOST, 2), (Close(1011, opened=True, seconds=10.0), 1), (LOST, 2)]:
        assert attempts.after(close) == Retry(delay, delay)
    assert attempts.after(LOST) == Stop(StopReason.EXHAUSTED, 2)


def test_should_reconnect_decides_about_every_end() -> None:
    """It is asked with the close, and about attempts that never opened, too."""
    asked: list[Close] = []

    def should_reconnect(close: Close) -> bool:
        asked.append(close)
        return close.code == 1000

    assert isinstance(after(Close(1000, opened=True), should_reconnect=should_reconnect), Retry)
    assert after(NEVER_OPENED, should_reconnect=should_reconnect) == Stop(StopReason.NOT_WANTED, 0)
    assert asked == [Close(1000, opened=True), NEVER_OPENED]


def test_a_failing_should_reconnect_leaves_it_to_the_default(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in a callback is no reason to stay away, and its words, which may quote a message, are not logged."""

    def broken(close: Close) -> bool:
        raise RuntimeError("a secret")

    assert isinstance(after(LOST, should_reconnect=broken), Retry)
    assert isinstance(after(Close(1000, opened=True), should_reconnect=broken), Stop)
    assert "should_reconnect failed (RuntimeError in test_attempts.py" in caplog.text
    assert "secret" not in caplog.text


def test_the_interval_may_be_a_number_or_a_function_of_the_attempt() -> None:
    """The function is given the number of attempts made so far: 0 at first, as in the JavaScript library."""
    assert all_delays(LOST, reconnect_attempts=3, reconnect_interval=3.0)[0] == [3.0, 3.0, 3.0]
    assert all_delays(LOST, reconnect_attempts=3, reconnect_interval=lambda made: made * 10.0)[0] == [0, 10, 20]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, "soon", None])
def test_a_senseless_interval_is_replaced_by_the_default(bad: Any) -> None:
    """A function that gives no number of seconds does not stop the connection, nor make it spin."""
    (delay, *_), _ = all_delays(LOST, reconnect_interval=lambda made: bad)
    assert 0.8 <= delay <= 1.0


def test_retry_on_error_overrules_should_reconnect_but_no_refusal() -> None:
    """After an error there is another attempt; after a final no, or a clean close, there is none."""
    given: dict[str, Any] = {"should_reconnect": lambda close: False, "retry_on_error": True}
    assert isinstance(after(NEVER_OPENED, **given), Retry)
    assert isinstance(after(LOST, **given), Retry)
    assert isinstance(after(Close(error=AddressError("failed", final=False)), **given), Retry)
    assert after(Close(1011, opened=True), **given) == Stop(StopReason.NOT_WANTED, 0)
    assert after(Close(error=HandshakeRefused(401)), **given) == Stop(StopReason.REFUSED, 0)


def test_a_url_function_that_fails_is_asked_again_by_default() -> None:
    """The token service may be down for a moment; with `should_reconnect` saying no it is the end."""
    close = Close(error=AddressError("failed", final=False))
    delays, stop = all_delays(close)
    assert (len(delays), stop.reason) == (10, StopReason.EXHAUSTED)
    assert after(close, should_reconnect=lambda close: False) == Stop(StopReason.NO_ADDRESS, 0)


@pytest.mark.parametrize(
    "close",
    [
        Close(1012, opened=True),
        Close(1013, opened=True),
        Close(error=HandshakeRefused(429)),
        Close(error=HandshakeRefused(503)),
    ],
)
def test_a_busy_server_is_left_alone_for_a_while(close: Close) -> None:
    """Restarting, overloaded, too many requests: a longer pause, spread by chance."""
    assert after(close, busy_interval=5.0) == Retry(1, 5.0)
    assert after(close, busy_interval=5.0, chance=lambda: 1.0) == Retry(1, 10.0)
    assert after(close, busy_interval=5.0, reconnect_interval=20.0) == Retry(1, 20.0)


def test_retry_after_is_obeyed_within_bounds() -> None:
    """A header from outside can lengthen a pause, but not switch the client off, nor make it faster."""
    assert after(Close(error=HandshakeRefused(503, 7.0))) == Retry(1, 7.0)
    assert after(Close(error=HandshakeRefused(503, 0.0))) == Retry(1, 1.0)
    assert after(Close(error=HandshakeRefused(503, 1e9)), longest_retry_after=60.0) == Retry(1, 60.0)


def test_a_reconnect_that_was_asked_for_is_made_whatever_the_code() -> None:
    """A server that answers our going away with 1000 does not end the connection by that."""
    assert isinstance(after(Close(1000, opened=True, by_us=True)), Retry)


closes = st.builds(
    Close,
    code=st.integers(1000, 4999),
    opened=st.booleans(),
    seconds=st.floats(0, 100),
    error=st.none()
    | st.builds(HandshakeRefused, st.integers(100, 599), st.none() | st.floats(0, 1e12))
    | st.builds(AddressError, st.just("x"), final=st.booleans())
    | st.just(LinkLost("x")),
)


@given(st.lists(closes, max_size=40), st.integers(0, 5))
def test_whatever_happens_attempts_and_pauses_are_bounded(ends: list[Close], limit: int) -> None:
    """No sequence of ends makes a pause longer than our own bounds, or more attempts than allowed in a row."""
    attempts, in_a_row = Attempts(Options(reconnect_attempts=limit)), 0
    for close in ends:
        if close.opened and close.seconds >= 10.0:
            in_a_row = 0
        match attempts.after(close):
            case Retry(attempt, delay):
                in_a_row += 1
                assert 0.0 < delay <= 120.0
                assert attempt == in_a_row <= limit
            case Stop():
                return


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("open_timeout", 0),
        ("send_timeout", -1),
        ("close_timeout", math.nan),
        ("ping_interval", 0),
        ("max_size", 0),
        ("reconnect_attempts", -1),
        ("reconnect_interval", -1),
        ("reconnect_interval", math.inf),
        ("stable_after", -1),
        ("longest_retry_after", -1),
    ],
)
def test_senseless_options_are_refused_by_name(name: str, value: float) -> None:
    """A wrong number is an error where it is written, not an endless loop later."""
    with pytest.raises(ValueError, match=name):
        Options(**{name: value})  # type: ignore[arg-type]
