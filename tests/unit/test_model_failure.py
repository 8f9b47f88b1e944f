"""What went wrong with a model, in words without content."""

import json
import socket

import httpx2
import pytest
from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError

from agent.models import retry_after
from agent.models.failure import ModelFailed, why_failed

NOW = 1_700_000_000.0


def caused(error: Exception, cause: BaseException) -> Exception:
    """An error as the libraries wrap it."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (APITimeoutError(), "timeout"),
        (TimeoutError(), "timeout"),
        (APIStatusError("secret words", status_code=429), "rate limit"),
        (APIStatusError("secret words", status_code=503), "status 503"),
        (caused(APIConnectionError(), ConnectionRefusedError()), "connection refused"),
        (caused(APIConnectionError(), socket.gaierror()), "unknown host"),
        (caused(APIConnectionError(), httpx2.ReadError("secret words")), "connection lost"),
        (caused(APIConnectionError(), json.JSONDecodeError("secret words", "", 0)), "nonsense"),
        (caused(APIConnectionError(), KeyError("secret words")), "KeyError"),
        (APIError("secret words"), "APIError"),
    ],
)
def test_an_error_comes_down_to_a_word(error: Exception, why: str) -> None:
    """The journal and the log get this; the text of an error may hold what was said."""
    assert why_failed(error) == why


def test_our_own_words_count_however_deep_they_are() -> None:
    """What was found out below is not replaced by what the library makes of it."""
    assert why_failed(caused(APIConnectionError(), ModelFailed("endless"))) == "endless"


def test_a_chain_that_bites_its_tail_ends() -> None:
    """Errors may name each other as cause."""
    first, second = APIError("a"), APIError("b")
    first.__cause__, second.__cause__ = second, first
    assert why_failed(first) == "APIError"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("1e9", 3600.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """At most an hour; what says nothing is nothing."""
    assert retry_after.parse(header, NOW) == seconds
