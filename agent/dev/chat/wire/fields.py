"""JSON in and out: each member of a frame either has the type that the protocol says, or is refused by name."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from agent.dev.chat.thread.messages import MAX_ID, MAX_TEXT
from agent.dev.chat.wire.actions import BAD_FRAME, BAD_JSON, TOO_LONG

Choice = TypeVar("Choice", bound=StrEnum)


class FrameError(ValueError):
    """A frame, or one of its members, cannot be used; `code` is the one that the client is told."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_json(raw: str) -> Any:
    """Parse JSON; raises FrameError for anything else, numbers that JSON does not have included."""
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise FrameError(BAD_JSON, "the frame is not JSON") from None


def dump(value: Any) -> str:
    """A value as JSON in its shortest form."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def required_text(data: Mapping[str, Any], name: str) -> str:
    """A text with at least one character that is no white space."""
    text = text_or_empty(data, name)
    if not text.strip():
        raise FrameError(BAD_FRAME, f"{name} must be a text that is not empty")
    return text


def text_or_empty(data: Mapping[str, Any], name: str) -> str:
    """A text of valid Unicode, not too long; the empty one when it is missing."""
    text = data.get(name, "")
    if not isinstance(text, str):
        raise FrameError(BAD_FRAME, f"{name} must be a text")
    if len(text) > MAX_TEXT:
        raise FrameError(TOO_LONG, f"{name} is longer than {MAX_TEXT} characters")
    if not is_unicode(text):
        raise FrameError(BAD_FRAME, f"{name} is not valid Unicode")
    return text


def message_id(data: Mapping[str, Any], name: str) -> str | None:
    """A message's id, None when it is missing or null."""
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or not value.isprintable():
        raise FrameError(BAD_FRAME, f"{name} must be 1 to {MAX_ID} printable characters")
    return value


def choice(data: Mapping[str, Any], name: str, choices: type[Choice], default: Choice) -> Choice:
    """One of the values of an enumeration, the default when it is missing or null."""
    value = data.get(name)
    if value is None:
        return default
    if isinstance(value, str) and value in {member.value for member in choices}:
        return choices(value)
    raise FrameError(BAD_FRAME, f"{name} must be one of {', '.join(member.value for member in choices)}")


def flag(data: Mapping[str, Any], name: str) -> bool:
    """True or false, false when it is missing or null."""
    value = data.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise FrameError(BAD_FRAME, f"{name} must be true or false")


def moment(data: Mapping[str, Any], name: str) -> str | None:
    """A time stamp with its zone, as ISO 8601 in UTC with milliseconds; None when it is missing or null."""
    value = data.get(name)
    if value is None:
        return None
    try:
        when = datetime.fromisoformat(value)
        if when.tzinfo is None:
            raise ValueError("no zone")
        return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError):
        raise FrameError(BAD_FRAME, f"{name} must be a time stamp of ISO 8601 with its zone") from None


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8; JSON can hold lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
