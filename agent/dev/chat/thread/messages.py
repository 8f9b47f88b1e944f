"""What stands in a thread: a message before and after it is stored."""

import re
import secrets
from dataclasses import dataclass

from agent.job import CONVERSATION_ID
from agent.turns import Channel, Kind, Speaker

MAX_TEXT = 100_000  # characters of one message
MAX_ID = 200  # characters of a message's id


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that is to be stored; the store gives it its `seq`, and its time unless it brings one.

    `asks` says that somebody has to answer it. `author` is the name of who sent it. `conversation_type` and
    `block_type` are kept for the clients of the unpod dialect, who get them back as they sent them.
    """

    conversation_id: str
    id: str
    role: Speaker
    text: str
    channel: Channel
    asks: bool = False
    interrupted: bool = False
    reply_to: str | None = None
    created_at: str | None = None
    author: str = ""
    kind: Kind = Kind.SPEECH
    conversation_type: str | None = None
    block_type: str = "text_msg"


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the thread. `seq` is its place, from 1 without holes; `created_at` is ISO 8601 in UTC."""

    conversation_id: str
    seq: int
    id: str
    role: Speaker
    text: str
    channel: Channel
    interrupted: bool
    reply_to: str | None
    created_at: str
    author: str
    kind: Kind
    conversation_type: str | None
    block_type: str


def new_message_id() -> str:
    """An id for a message whose sender gave none."""
    return "msg_" + secrets.token_hex(12)


def new_conversation_id() -> str:
    """An id for a conversation that nobody named."""
    return "c_" + secrets.token_hex(10)


def is_conversation_id(text: str) -> bool:
    """Whether a text can name a conversation: 1 to 128 letters, digits, `_` and `-`."""
    return re.fullmatch(CONVERSATION_ID, text) is not None
