"""What a client can ask for on the WebSocket, whatever its dialect says it in."""

from dataclasses import dataclass

from agent.turns import Channel, Kind, Speaker


@dataclass(frozen=True, slots=True)
class Post:
    """Store this message and show it to everybody; `asks` also wants it answered.

    `id` and `created_at` are None when the client left them to the server. `block_type` and `conversation_type` are
    those of the unpod dialect.
    """

    text: str
    role: Speaker
    channel: Channel
    asks: bool
    id: str | None = None
    interrupted: bool = False
    reply_to: str | None = None
    created_at: str | None = None
    kind: Kind = Kind.SPEECH
    conversation_type: str | None = None
    block_type: str = "text_msg"


@dataclass(frozen=True, slots=True)
class Caption:
    """What somebody is saying right now; the empty text ends it. Never stored."""

    role: Speaker
    text: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Attach:
    """A worker answers this conversation from now on, or no longer."""

    attached: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """Keep-alive; answered by a pong."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A frame that cannot be used. `id` names the message that it was about, when it said so."""

    code: str
    message: str
    id: str | None = None


Action = Post | Caption | Attach | Ping | Bad

BAD_JSON = "bad_json"
BAD_FRAME = "bad_frame"
UNKNOWN_ACTION = "unknown_action"
TOO_LONG = "too_long"
NOT_ALLOWED = "not_allowed"
MODEL_UNAVAILABLE = "model_unavailable"
SERVER_ERROR = "server_error"
