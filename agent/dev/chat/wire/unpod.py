"""The unpod dialect: frames to actions, messages and events to frames (CHAT_PROTOCOL, "unpod: frames"). Pure.

`data.data.conversation_type` is the client's free field and comes back as it was sent. When it is a JSON object, or
the text of one, its `id`, `role`, `channel`, `interrupted`, `reply_to`, `created_at` and `kind` are the message's; a
message that came in the guide dialect shows them there in the same form.
"""

from dataclasses import dataclass
from typing import Any

from agent.dev.chat.thread.messages import Message
from agent.dev.chat.wire import fields, guide
from agent.dev.chat.wire.actions import BAD_FRAME, UNKNOWN_ACTION, Action, Bad, Caption, Ping, Post
from agent.dev.chat.wire.dialect import DialectName
from agent.dev.chat.wire.fields import dump
from agent.turns import Channel, Kind, Speaker

BLOCK_TYPES = ("text_msg", "question")
MAX_FREE_FIELD = 2000  # characters of conversation_type


class UnpodDialect:
    """What the Unpod block service does."""

    name: DialectName = "unpod"
    closes_on_bad_frame = True

    def parse(self, raw: str) -> list[Action]:
        """See `Dialect`; nothing for an action that this server has no use for."""
        try:
            frame = fields.read_json(raw)
            if not isinstance(frame, dict):
                raise fields.FrameError(BAD_FRAME, "a frame is a JSON object")
            match frame.get("event"):
                case "ping":
                    return [Ping()]
                case "block":
                    return [_parse_block(frame.get("data"))]
                case "action":
                    action = guide.parse_action(frame.get("data"))
                    return [] if isinstance(action, Bad) and action.code == UNKNOWN_ACTION else [action]
                case _:
                    raise fields.FrameError(BAD_FRAME, "event must be block, action or ping")
        except fields.FrameError as error:
            return [Bad(error.code, str(error))]

    def message_object(self, message: Message) -> dict[str, Any]:
        """A message as a block, the form of frames and of history."""
        return {
            "block_id": message.id,
            "thread_id": message.conversation_id,
            "seq_number": message.seq,
            "user": {"role": message.role.value, "full_name": message.author},
            "block": "text",
            "block_type": message.block_type,
            "data": {"content": message.text, "conversation_type": _shown_free_field(message)},
            "created": message.created_at,
        }

    def message_frame(self, message: Message) -> str:
        """See `Dialect`."""
        return dump({"event": "block", "data": self.message_object(message), "timestamp": message.created_at})

    def caption_frame(self, caption: Caption) -> None:
        """There are no captions in this dialect."""

    def thinking_frame(self, *, active: bool) -> None:
        """There is no typing in this dialect."""

    def presence_frame(self, *, agent: bool) -> None:
        """There is no presence in this dialect."""

    def error_frame(self, error: Bad) -> str:
        """After a bad frame the connection is closed with 1003."""
        return dump({"event": "error", "message": error.message, "errors": [{"code": error.code}]})

    def pong_frame(self) -> str:
        """See `Dialect`."""
        return '{"event":"pong"}'


UNPOD = UnpodDialect()


def event_of(raw: str) -> str | None:
    """The event of a frame, by which an unknown client shows its dialect; None when it has none. Never raises."""
    try:
        frame = fields.read_json(raw)
    except fields.FrameError:
        return None
    event = frame.get("event") if isinstance(frame, dict) else None
    return event if isinstance(event, str) else None


@dataclass(frozen=True, slots=True)
class _FreeField:
    id: str | None = None
    role: Speaker = Speaker.USER
    channel: Channel = Channel.CHAT
    interrupted: bool = False
    reply_to: str | None = None
    created_at: str | None = None
    kind: Kind = Kind.SPEECH


def _parse_block(data: Any) -> Post:
    if not isinstance(data, dict) or not isinstance(body := data.get("data"), dict):
        raise fields.FrameError(BAD_FRAME, "data and data.data must be JSON objects")
    if data.get("block") != "text" or data.get("block_type") not in BLOCK_TYPES:
        raise fields.FrameError(BAD_FRAME, f"block must be text and block_type one of {', '.join(BLOCK_TYPES)}")
    free_field = _free_field(body.get("conversation_type"))
    ours = _read_free_field(free_field)
    return Post(
        text=fields.required_text(body, "content"),
        role=ours.role,
        channel=ours.channel,
        asks=data["block_type"] == "question" and ours.role is Speaker.USER,
        id=ours.id,
        interrupted=ours.interrupted,
        reply_to=ours.reply_to,
        created_at=ours.created_at,
        kind=ours.kind,
        conversation_type=free_field,
        block_type=data["block_type"],
    )


def _free_field(value: Any) -> str | None:
    if value is None:
        return None
    try:
        text = value if isinstance(value, str) else dump(value)
    except (ValueError, RecursionError):
        raise fields.FrameError(BAD_FRAME, "conversation_type is nested too deep") from None
    if len(text) > MAX_FREE_FIELD or not fields.is_unicode(text):
        raise fields.FrameError(BAD_FRAME, f"conversation_type must be at most {MAX_FREE_FIELD} valid characters")
    return text


def _read_free_field(text: str | None) -> _FreeField:
    try:
        value = fields.read_json(text) if text is not None else None
        if not isinstance(value, dict):
            return _FreeField()
        return _FreeField(
            fields.message_id(value, "id"),
            fields.choice(value, "role", Speaker, Speaker.USER),
            fields.choice(value, "channel", Channel, Channel.CHAT),
            fields.flag(value, "interrupted"),
            fields.message_id(value, "reply_to"),
            fields.moment(value, "created_at"),
            fields.choice(value, "kind", Kind, Kind.SPEECH),
        )
    except fields.FrameError:
        return _FreeField()  # it is the client's: what is not in our form is only kept


def _shown_free_field(message: Message) -> str:
    if message.conversation_type is not None:
        return message.conversation_type
    shown = {
        "id": message.id,
        "role": message.role.value,
        "channel": message.channel.value,
        "interrupted": message.interrupted,
        "reply_to": message.reply_to,
        "created_at": message.created_at,
    }
    return dump(shown if message.kind is Kind.SPEECH else {**shown, "kind": message.kind.value})
