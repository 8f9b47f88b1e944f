"""The unpod dialect: blocks from bytes to typed values and back, without any I/O (CHAT_PROTOCOL, "unpod: frames").

`data.data.conversation_type` is the only free field that survives live and in history: it carries our id, the speaker,
the channel and the rest of a turn as a JSON object. There are no captions and no attach in this dialect.
"""

import hashlib
import json
from typing import Any

from agent.chat.frames import (
    MAX_FRAME_BYTES,
    Ignored,
    Malformed,
    ServerError,
    ServerFrame,
    ThreadMessage,
    decode_message,
)
from agent.turns import Channel, Kind, Speaker, Turn, to_timestamp

# The service returns these contents as empty: "0", "null" and "false" are sent with a trailing space.
SWALLOWED = frozenset({"0", "null", "false"})
PING = '{"event":"ping","data":{}}'


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
    match frame.get("event"):
        case "block":
            return decode_block(frame.get("data"))
        case "error":
            return ServerError("refused", "the server reports an error")
        case str() as event:
            return Ignored(event[:64])
        case _:
            return Malformed("no event")


def decode_block(block: Any) -> ThreadMessage | Malformed:
    """Read one block, of a frame or of history."""
    body = block.get("data") if isinstance(block, dict) else None
    if not isinstance(body, dict) or not isinstance(body.get("content"), str):
        return Malformed("block without content")
    ours = _read_free_field(body.get("conversation_type"))
    content: str = body["content"]
    return decode_message(
        {
            "role": _role_of(block.get("user")),
            "channel": Channel.CHAT.value,
            "created_at": block.get("created"),
            **ours,
            "id": ours.get("id") or _foreign_id(block, content),
            "seq": block.get("seq_number"),
            "text": content[:-1] if content[:-1] in SWALLOWED and content.endswith(" ") else content,
        }
    )


def encode_turn(turn: Turn) -> str:
    """The frame that stores a turn without asking for an answer (`text_msg`)."""
    return _block(turn, "text_msg")


def encode_question(turn: Turn) -> str:
    """The frame that stores a user's turn and has the backend answer it (`question`)."""
    return _block(turn, "question")


def _block(turn: Turn, block_type: str) -> str:
    free_field: dict[str, Any] = {
        "id": turn.id,
        "role": turn.speaker.value,
        "channel": turn.channel.value,
        "interrupted": turn.interrupted,
        "reply_to": turn.reply_to,
        "created_at": to_timestamp(turn.started_at),
    }
    if turn.kind is not Kind.SPEECH:
        free_field["kind"] = turn.kind.value
    content = turn.text + " " if turn.text in SWALLOWED else turn.text
    body = {"content": content, "conversation_type": _dump(free_field)}
    return _dump({"event": "block", "data": {"block": "text", "block_type": block_type, "data": body}})


def _foreign_id(block: dict[str, Any], content: str) -> str | None:
    """An id for somebody else's block; the words are part of it, as block ids can collide across server processes."""
    block_id = block.get("block_id")
    if not isinstance(block_id, str) or not block_id:
        return None
    return f"{block_id}-{hashlib.sha256(content.encode(errors='replace')).hexdigest()[:8]}"


def _read_free_field(value: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        return {}
    try:
        ours = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return ours if isinstance(ours, dict) else {}


def _role_of(user: Any) -> str:
    """Who wrote a block without our field: the service's answers come from no user, or from one marked as such."""
    by_service = not isinstance(user, dict) or user.get("role") in ("assistant", "agent")
    return (Speaker.ASSISTANT if by_service else Speaker.USER).value


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
