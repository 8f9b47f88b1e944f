"""What the end of a link says."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.websocket import Close, HandshakeRefused
from agent.websocket.closes import parse_retry_after

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30.0),
        (format_datetime(NOW - timedelta(days=30), usegmt=True), 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("9" * 5000, None),
        ("²", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    """Both forms of the header are read; anything else counts as not said."""
    assert parse_retry_after(value, NOW) == seconds


@given(st.text())
def test_no_header_raises(value: str) -> None:
    """A server can send whatever it likes."""
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or seconds >= 0


def test_the_servers_words_are_not_in_what_is_logged() -> None:
    """A close's reason may quote what somebody said; it is there for those who ask."""
    close = Close(1003, "you said: my password is 1234", opened=True)
    assert close.reason.endswith("1234")
    assert "1234" not in repr(close) + str(close)


def test_a_refusal_is_named_by_its_status() -> None:
    """The log says what the server answered."""
    close = Close(error=HandshakeRefused(401))
    assert (close.status, close.refused, close.was_clean) == (401, True, False)
    assert str(close) == "the server refused the handshake with 401"
