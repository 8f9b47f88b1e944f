"""Logging without content or secrets: one line an event, with the few fields that say which call it was."""

import json
import logging
import re
import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

from agent.error_text import stack_of

LogFormat = Literal["text", "json"]

# Addresses come from settings and libraries: who and with which password stands before the @, a token after the ?.
CREDENTIALS = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/?#@]+@", re.IGNORECASE)
QUERY = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?#'\"<>]+\?)[^\s'\"<>…][^\s'\"<>]*", re.IGNORECASE)

QUIET = (
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "openai",
    "websockets",
    "aiohttp.access",
    "livekit",
    "asyncio",
    "watchfiles",
)
# What they report quotes the messages of other people's servers; what we need to know of it we say ourselves.
SILENT = ("mcp",)
PLAIN = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {"message", "asctime"}


NO_FIELDS: Mapping[str, str] = {}


class _OfThread(threading.local):
    """What all lines of a call's thread have in common."""

    fields: Mapping[str, str] = NO_FIELDS


_of_thread = _OfThread()
# The same for what a call has other threads do (asyncio.to_thread takes it along).
_of_context: ContextVar[Mapping[str, str]] = ContextVar("of_call", default=NO_FIELDS)


def logs_are_of_call(call_id: str, conversation_id: str) -> None:
    """From now on all that this thread logs belongs to this call: each JSON line says so, the libraries' too."""
    _of_thread.fields = {"call_id": call_id, "conversation_id": conversation_id}
    _of_context.set(_of_thread.fields)


def fields_of(record: logging.LogRecord) -> dict[str, str | int | float]:
    """The plain extra fields of a record.

    The library marks extra fields that hold what people said by `lk.pii.`; those are left out, as is everything that
    is no plain value, because it may hold more than it shows. Addresses lose their credentials and queries.
    """
    return {
        key: value
        for key, value in record.__dict__.items()
        if key not in PLAIN and not key.startswith(("_", "lk.pii.")) and isinstance(value, str | int | float)
    }


class EventFormatter(logging.Formatter):
    """One line for people: time, level, logger, message, and the record's plain extra fields; then its stack."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, with a stack where there is one."""
        fields = " ".join(f"{key}={value}" for key, value in fields_of(record).items())
        line = super().format(record)
        return without_credentials(f"{line}  {fields}{_stack(record)}" if fields else line + _stack(record))

    def formatException(self, ei: object) -> str:
        """Nothing: `format` puts the stack behind the fields."""
        return ""


def without_credentials(text: str) -> str:
    """The text, in which addresses have neither a user nor a query."""
    return QUERY.sub(r"\1…", CREDENTIALS.sub(r"\1…@", text))


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for programs: `time`, `level`, `logger`, `event`, the fields, and a stack in `error`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **(_of_context.get() or _of_thread.fields),
            **fields_of(record),
        }
        if stack := _stack(record).strip():
            line["error"] = stack
        return without_credentials(json.dumps(line, ensure_ascii=False))


def configure_logging(level: str, style: LogFormat = "text") -> None:
    """Send all logs as lines to stderr; chatty libraries only from WARNING on.

    Args:
        level: from which level on.
        style: text for people, or json for programs.
    """
    handler = logging.StreamHandler(sys.stderr)
    text = EventFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if style == "json" else text)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    logging.getLogger("livekit.agents").setLevel(level)
    sys.excepthook = _log_crash


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("agent").critical("the process crashed", exc_info=(kind, error, trace))


def _stack(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    return "" if error is None else "\n" + stack_of(error)
