"""Log lines say which call it was, and never what was said."""

import logging
import sys

from agent.logs import EventFormatter


def line(message: str, extra: dict[str, object] | None = None) -> str:
    logger = logging.getLogger("test")
    record = logger.makeRecord("test", logging.INFO, "f", 1, message, (), None, extra=extra)
    return EventFormatter("%(levelname)s %(name)s: %(message)s").format(record)


def test_plain_fields_stand_behind_the_message() -> None:
    """The ids of an event are on its line."""
    assert line("call ended", {"call_id": "c1", "undelivered": 0}) == "INFO test: call ended  call_id=c1 undelivered=0"


def test_content_and_objects_are_left_out() -> None:
    """The library's transcripts and whatever object it hands over never reach the log."""
    text = line("skipping user input", {"lk.pii.user_input": "my secret", "job_request": {"metadata": "my secret"}})
    assert text == "INFO test: skipping user input"


def test_a_trace_follows_the_line() -> None:
    """The fields stay on the first line when there is an exception."""
    try:
        raise ValueError("wrong")
    except ValueError:
        record = logging.LogRecord("test", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    record.call_id = "c1"
    first, *rest = EventFormatter("%(message)s").format(record).split("\n")
    assert first == "failed  call_id=c1"
    assert rest[-1] == "ValueError: wrong"
