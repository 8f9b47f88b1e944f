"""Log lines say which call it was, and never what was said."""

import asyncio
import json
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp

from agent.error_text import describe, stack_of
from agent.logs import EventFormatter, JsonFormatter, logs_are_of_call
from agent.settings import SettingsError


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


def test_addresses_lose_their_credentials() -> None:
    """Wherever they stand: in the message, in a field, or in an error."""
    text = line("no answer from http://me:hunter2@h:8/v1?token=hunter2&a=b, given up", {"url": "wss://hunter2@h/p"})
    assert text == "INFO test: no answer from http://…@h:8/v1?… given up  url=wss://…@h/p"
    assert line("who@example.com asked wss://h/p?… and <http://h/?key=hunter2>") == (
        "INFO test: who@example.com asked wss://h/p?… and <http://h/?…>"
    )


def test_a_trace_follows_the_line() -> None:
    """The fields stay on the first line when there is an exception."""
    try:
        raise ValueError("wrong")
    except ValueError:
        record = logging.LogRecord("test", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    record.call_id = "c1"
    first, *rest = EventFormatter("%(message)s").format(record).split("\n")
    assert first == "failed  call_id=c1"
    assert rest[-1] == "ValueError"


def json_line(record: logging.LogRecord) -> dict[str, Any]:
    text = JsonFormatter().format(record)
    assert "\n" not in text
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_a_json_line_holds_the_event_its_fields_and_its_call() -> None:
    """A program finds all lines of a call, and each line is one object."""
    record = logging.getLogger("agent.x").makeRecord(
        "agent.x", logging.INFO, "f", 1, "call %s", ("ended",), None, extra={"undelivered": 0, "lk.pii.text": "secret"}
    )
    record.created = 1_700_000_000.25
    assert json_line(record) == {
        "time": "2023-11-14T22:13:20.250+00:00",
        "level": "INFO",
        "logger": "agent.x",
        "event": "call ended",
        "undelivered": 0,
    }


async def test_all_lines_of_a_call_s_thread_say_which_call() -> None:
    """Those of the libraries, too, and what the call has other threads do; not those of its neighbours."""

    def logged() -> tuple[object, object]:
        line = json_line(logging.LogRecord("livekit.agents", logging.WARNING, "f", 1, "slow", (), None))
        return line.get("call_id"), line.get("conversation_id")

    async def call(number: int) -> list[tuple[object, object]]:
        logs_are_of_call(f"AJ_{number}", f"c_{number}")
        return [logged(), await asyncio.to_thread(logged)]

    with ThreadPoolExecutor(2) as threads:
        first, second = (threads.submit(asyncio.run, call(number)).result() for number in (1, 2))
    assert first == [("AJ_1", "c_1")] * 2
    assert second == [("AJ_2", "c_2")] * 2
    assert logged() == (None, None)


def test_an_error_shows_where_and_not_with_what() -> None:
    """A wrong value may be what somebody said; where it was wrong is enough."""
    try:
        try:
            int("my secret")
        except ValueError as error:
            raise RuntimeError("the number cannot be read") from error
    except RuntimeError:
        record = logging.LogRecord("test", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    stack = json_line(record)["error"]
    assert "my secret" not in stack.replace('int("my secret")', "")
    assert "ValueError" in stack
    assert stack.endswith("RuntimeError: the number cannot be read")
    assert "test_logs.py" in stack


def test_the_errors_of_a_group_are_all_shown() -> None:
    """A crash of several tasks at once says what each died of."""
    group = ExceptionGroup("several", [ValueError("secret"), FileNotFoundError(2, "No such file", "/x")])
    text = stack_of(group)
    assert "secret" not in text
    assert "ValueError" in text
    assert "FileNotFoundError: [Errno 2] No such file: '/x'" in text


def test_an_error_of_a_library_shows_its_kind_alone() -> None:
    """Its message may hold an address with a token, or a whole request."""
    error = aiohttp.InvalidURL("wss://chat.example.com/?token=secret")
    assert describe(error) == "aiohttp.client_exceptions.InvalidURL"
    assert describe(SettingsError("PAGE_PORT: wrong")) == "agent.settings.SettingsError: PAGE_PORT: wrong"
