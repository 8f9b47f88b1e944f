"""What the responder is given and gives back: messages with their channel, tools, and a reply."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

TYPED_MARK = "[typed] "

_NOT_WORD = re.compile(r"[^\w\s]|_")
_APOSTROPHE = re.compile(r"['’]")


class Role(StrEnum):
    """The roles of chat messages that make a difference here."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Channel(StrEnum):
    """How a user's message came, where the caller says so."""

    SPOKEN = "spoken"
    TYPED = "typed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool: its id, the tool's name, and the arguments as JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation. `name` is OpenAI's participant name: voice, chat, room, or anything."""

    role: Role
    text: str
    name: str = ""
    channel: Channel = Channel.UNKNOWN
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool: its JSON schema type, and whether it must be given."""

    name: str
    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the responder may ask its caller to run."""

    name: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the responder answers: words, or a tool to call with arguments as JSON text."""

    text: str = ""
    tool: str = ""
    arguments: str = field(default="{}")


def with_channels(messages: Sequence[Message]) -> list[Message]:
    """Tell typed messages from spoken ones, by the convention that `responder` documents; the mark is removed."""
    marks_explained = any(m.role is Role.SYSTEM and TYPED_MARK.strip() in m.text for m in messages)
    unmarked = Channel.SPOKEN if marks_explained else Channel.UNKNOWN
    named = {"voice": Channel.SPOKEN, "chat": Channel.TYPED, "room": Channel.TYPED}
    result = []
    for message in messages:
        if message.role is Role.USER:
            marked = message.text.startswith(TYPED_MARK)
            channel = named.get(message.name, Channel.TYPED if marked else unmarked)
            message = replace(message, text=message.text.removeprefix(TYPED_MARK).strip(), channel=channel)
        result.append(message)
    return result


def plain(text: str) -> str:
    """Lower-case words without punctuation, as speech recognition and people type them: `what's` is `whats`."""
    return " ".join(_NOT_WORD.sub(" ", _APOSTROPHE.sub("", text.lower())).split())


def as_sentence(text: str) -> str:
    """The text with a full stop if it has no end."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?", "…")) else text.rstrip(",;:- ") + "."
