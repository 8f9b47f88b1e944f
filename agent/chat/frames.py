"""The guide dialect of the chat protocol: frames from bytes to typed values and back, without any I/O.

Source: CHAT_PROTOCOL, "guide: frames". A server written to the guide alone sends less than ours: only a message's
text is required. What cannot be read becomes a value too (`Malformed`), never an exception.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from agent.turns import Channel, Speaker, Turn, from_timestamp, to_timestamp

MAX_FRAME_BYTES = 16 * 1024 * 1024

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
        return ThreadMessage(text=payload, role=Speaker.ASSISTANT)
    if not isinstance(payload, dict) or not isinstance(payload.get("text"), str):
        return Malformed("message without text")
    seq = payload.get("seq")
    return ThreadMessage(
        text=payload["text"],
        role=_one_of(Speaker, payload.get("role")),
        id=_text(payload.get("id")),
        seq=seq if isinstance(seq, int) and not isinstance(seq, bool) else None,
        channel=_one_of(Channel, payload.get("channel")),
        interrupted=payload.get("interrupted") is True,
        reply_to=_text(payload.get("reply_to")),
        created_at=_time(payload.get("created_at")),
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
    return ServerError(
        _text(payload.get("code")) or "unknown",
        _text(payload.get("message")) or "the server reports an error",
        _text(payload.get("id")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(value: Any) -> float | None:
    try:
        return from_timestamp(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _one_of(choices: type[Choice], value: Any) -> Choice | None:
    try:
        return choices(value)
    except ValueError:
        return None


def encode_turn(turn: Turn) -> str:
    """The frame that stores and shows a turn without asking for an answer (`action: append`)."""
    data: dict[str, Any] = {
        "action": "append",
        "execution_type": "voice" if turn.channel is Channel.VOICE else "chat",
        "message": turn.text,
        "id": turn.id,
        "role": turn.speaker.value,
        "channel": turn.channel.value,
        "interrupted": turn.interrupted,
        "created_at": to_timestamp(turn.started_at),
    }
    if turn.reply_to is not None:
        data["reply_to"] = turn.reply_to
    return _action(data)


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
