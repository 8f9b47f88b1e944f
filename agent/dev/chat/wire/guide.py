"""The guide dialect: frames to actions, messages and events to frames (CHAT_PROTOCOL, "guide: frames"). Pure."""

from typing import Any

from agent.dev.chat.thread.messages import Message
from agent.dev.chat.wire import fields
from agent.dev.chat.wire.actions import BAD_FRAME, UNKNOWN_ACTION, Action, Attach, Bad, Caption, Ping, Post
from agent.dev.chat.wire.dialect import DialectName
from agent.dev.chat.wire.fields import dump
from agent.turns import Channel, Kind, Speaker

MAX_BATCH = 1000  # frames


class GuideDialect:
    """What the integration guide documents, with our fields."""

    name: DialectName = "guide"
    closes_on_bad_frame = False

    def parse(self, raw: str) -> list[Action]:
        """See `Dialect`; a batch is its frames, one after the other."""
        try:
            frame = fields.read_json(raw)
        except fields.FrameError as error:
            return [Bad(error.code, str(error))]
        if not isinstance(frame, dict) or "batch" not in frame:
            return [_parse_frame(frame)]
        batch = frame["batch"]
        if not isinstance(batch, list) or len(batch) > MAX_BATCH:
            return [Bad(BAD_FRAME, f"batch must be an array of at most {MAX_BATCH} frames")]
        return [_parse_frame(part) for part in batch]

    def message_object(self, message: Message) -> dict[str, Any]:
        """The `<message>` of the protocol."""
        shown = {
            "id": message.id,
            "seq": message.seq,
            "conversation_id": message.conversation_id,
            "role": message.role.value,
            "text": message.text,
            "channel": message.channel.value,
            "interrupted": message.interrupted,
            "reply_to": message.reply_to,
            "created_at": message.created_at,
        }
        return shown if message.kind is Kind.SPEECH else {**shown, "kind": message.kind.value}

    def message_frame(self, message: Message) -> str:
        """A message in both shapes that the guide shows."""
        body = dump(self.message_object(message))
        return f'{{"event":"message","type":"message","payload":{body},"message":{body}}}'

    def caption_frame(self, caption: Caption) -> str | None:
        """`typing` with the text so far; the empty text ends it."""
        return _typing(caption.role, active=bool(caption.text), text=caption.text, channel=caption.channel.value)

    def thinking_frame(self, *, active: bool) -> str:
        """`typing` of the assistant."""
        return _typing(Speaker.ASSISTANT, active=active, channel=Channel.CHAT.value)

    def presence_frame(self, *, agent: bool) -> str | None:
        """Our own event: a client that does not know it ignores it."""
        return dump({"event": "presence", "payload": {"agent": agent}})

    def error_frame(self, error: Bad) -> str:
        """The connection stays; `id` names the message that it was about."""
        payload = {"code": error.code, "message": error.message}
        if error.id is not None:
            payload["id"] = error.id
        return dump({"event": "error", "payload": payload})

    def pong_frame(self) -> str:
        """See `Dialect`."""
        return '{"event":"pong"}'


GUIDE = GuideDialect()


def parse_action(data: Any) -> Action:
    """What the `data` of an `action` asks for; `Bad` when it cannot be used."""
    if not isinstance(data, dict):
        return Bad(BAD_FRAME, "data must be a JSON object")
    try:
        return _parse_action(data)
    except fields.FrameError as error:
        return Bad(error.code, str(error), _id_or_none(data))


def _parse_frame(frame: Any) -> Action:
    if not isinstance(frame, dict):
        return Bad(BAD_FRAME, "a frame is a JSON object")
    match frame.get("event"):
        case "action":
            return parse_action(frame.get("data"))
        case "ping":
            return Ping()
        case _:
            return Bad(BAD_FRAME, "event must be action or ping")


def _parse_action(data: dict[str, Any]) -> Action:
    match data.get("action"):
        case "next":
            return _post(data, asks=True)
        case "append":
            return _post(data, asks=False)
        case "partial":
            return Caption(
                fields.choice(data, "role", Speaker, Speaker.USER),
                fields.text_or_empty(data, "text"),
                fields.choice(data, "channel", Channel, Channel.VOICE),
            )
        case "attach":
            return Attach(True)
        case "detach":
            return Attach(False)
        case _:
            return Bad(UNKNOWN_ACTION, "action must be next, append, partial, attach or detach", _id_or_none(data))


def _post(data: dict[str, Any], *, asks: bool) -> Post:
    spoken = data.get("execution_type") == "voice"
    role = fields.choice(data, "role", Speaker, Speaker.USER)
    if asks and role is not Speaker.USER:
        raise fields.FrameError(BAD_FRAME, "only a message of the user can be answered: use append")
    return Post(
        text=fields.required_text(data, "message"),
        role=role,
        channel=fields.choice(data, "channel", Channel, Channel.VOICE if spoken else Channel.CHAT),
        asks=asks,
        id=fields.message_id(data, "id"),
        interrupted=fields.flag(data, "interrupted"),
        reply_to=fields.message_id(data, "reply_to"),
        created_at=fields.moment(data, "created_at"),
        kind=fields.choice(data, "kind", Kind, Kind.SPEECH),
    )


def _id_or_none(data: dict[str, Any]) -> str | None:
    try:
        return fields.message_id(data, "id")
    except fields.FrameError:
        return None


def _typing(role: Speaker, *, active: bool, **more: str) -> str:
    return dump({"event": "typing", "payload": {"role": role.value, "active": active, **more}})
