"""The guide dialect of the chat protocol: frames from bytes to typed values and back, without any I/O.

Source: CHAT_PROTOCOL, "guide: frames". A server written to the guide alone sends less than ours: only a message's
text is required. What cannot be read becomes a value too (`Malformed`), never an exception.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from agent.turns import Channel, Kind, Speaker, Turn, from_timestamp, readable, to_timestamp

MAX_FRAME_BYTES = 16 * 1024 * 1024
MAX_SEQ = 2**63 - 1  # SQLite's largest integer
LOGGABLE = re.compile(r"[\w.-]{1,64}", re.ASCII)

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """A message as the thread shows it; None where the server did not say."""

    text: str
    role: Speaker | None = None
    id: str | None = None
    seq: int | None = None
    channel: Channel | None = None
    interrupted: bool = False
    reply_to: str | None = None
    created_at: float | None = None
    kind: Kind = Kind.SPEECH


@dataclass(frozen=True, slots=True)
class TypingNotice:
    """Somebody is typing, thinking or speaking; `text` is a live caption when there is one."""

    role: Speaker | None
    active: bool
    text: str | None = None


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server refused a frame; `id` names the turn it was about, if it was about one."""

    code: str
    message: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame that is no JSON object, or an event without what it needs; counted and skipped."""

    why: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that we do not know; the protocol says to ignore it."""

    event: str


ServerFrame = ThreadMessage | TypingNotice | ServerError | Malformed | Ignored


def decode(raw: str | bytes) -> ServerFrame:
    """Read one frame of the server; never raises."""
    if len(raw) > MAX_FRAME_BYTES:
        return Malformed("too large")
    try:
        frame = json.loads(raw)
    except (ValueError, RecursionError):
        return Malformed("not JSON")
    if not isinstance(frame, dict):
        return Malformed("not a JSON object")
    kind = frame.get("event") or frame.get("type")
    match kind:
        case "message":
            payload = frame["payload"] if "payload" in frame else frame.get("message")
            return decode_message(payload)
        case "typing":
            return _decode_typing(frame.get("payload"))
        case "error":
            return _decode_error(frame.get("payload"))
        case str():
            return Ignored(kind[:64])
        case _:
            return Malformed("no event")


def decode_message(payload: Any) -> ThreadMessage | Malformed:
    """Read one `<message>`: an object, or a bare string that is its text."""
    if isinstance(payload, str):
        return ThreadMessage(text=readable(payload))
    if not isinstance(payload, dict) or not isinstance(payload.get("text"), str):
        return Malformed("message without text")
    return ThreadMessage(
        text=readable(payload["text"]),
        role=_one_of(Speaker, payload.get("role")),
        id=_text(payload.get("id")),
        seq=_place(payload.get("seq")),
        channel=_one_of(Channel, payload.get("channel")),
        interrupted=payload.get("interrupted") is True,
        reply_to=_text(payload.get("reply_to")),
        created_at=_time(payload.get("created_at")),
        kind=_one_of(Kind, payload.get("kind")) or Kind.SPEECH,
    )


def _decode_typing(payload: Any) -> TypingNotice | Malformed:
    if not isinstance(payload, dict):
        return Malformed("typing without payload")
    return TypingNotice(
        _one_of(Speaker, payload.get("role")), payload.get("active") is not False, _text(payload.get("text"))
    )


def _decode_error(payload: Any) -> ServerError:
    if not isinstance(payload, dict):
        return ServerError("unknown", _text(payload) or "the server reports an error")
    code = _text(payload.get("code"))
    return ServerError(
        code if code is not None and LOGGABLE.fullmatch(code) else "unknown",
        _text(payload.get("message")) or "the server reports an error",
        _text(payload.get("id")),
    )


def _text(value: Any) -> str | None:
    return readable(value) if isinstance(value, str) and value else None


def _place(value: Any) -> int | None:
    """A place in the thread; what the journal could not hold counts as not said."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEQ else None


def _time(value: Any) -> float | None:
    """A time; one at the very end of the calendar, which could not be written again, counts as not said."""
    if not isinstance(value, str):
        return None
    try:
        seconds = from_timestamp(value)
        to_timestamp(seconds)
    except (ValueError, OverflowError):
        return None
    return seconds


def _one_of(choices: type[Choice], value: Any) -> Choice | None:
    try:
        return choices(value)
    except ValueError:
        return None


def encode_turn(turn: Turn) -> str:
    """The frame that stores and shows a turn without asking for an answer (`action: append`)."""
    return _action({"action": "append", **_turn_members(turn)})


def encode_question(turn: Turn) -> str:
    """The frame that stores and shows a user's turn and has the backend answer it (`action: next`)."""
    return _action({"action": "next", **_turn_members(turn)})


def _turn_members(turn: Turn) -> dict[str, Any]:
    members: dict[str, Any] = {
        "execution_type": "voice" if turn.channel is Channel.VOICE else "chat",
        "message": turn.text,
        "id": turn.id,
        "role": turn.speaker.value,
        "channel": turn.channel.value,
        "interrupted": turn.interrupted,
        "created_at": to_timestamp(turn.started_at),
    }
    if turn.reply_to is not None:
        members["reply_to"] = turn.reply_to
    if turn.kind is not Kind.SPEECH:
        members["kind"] = turn.kind.value
    return members


def encode_caption(role: Speaker, text: str) -> str:
    """The frame of a live caption; the empty text ends it (`action: partial`, never stored)."""
    return _action({"action": "partial", "role": role.value, "text": text})


def encode_attach(attached: bool) -> str:
    """The frame that says that a worker answers this conversation from now on, or no longer."""
    return _action({"action": "attach" if attached else "detach"})


def encode_batch(frames: list[str]) -> str:
    """Several frames as one, for what comes often (at most every 100 ms; the guide's batching)."""
    return frames[0] if len(frames) == 1 else '{"batch":[' + ",".join(frames) + "]}"


def _action(data: dict[str, Any]) -> str:
    return json.dumps({"event": "action", "data": data}, ensure_ascii=False, separators=(",", ":"))
