"""The body of `POST /v1/chat/completions`: what a client may send, and what the responder takes from it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.dev.models.dialogue import Message, Parameter, Role, Tool, ToolCall
from agent.dev.models.errors import ApiError

MAX_MESSAGES = 5000
MAX_CHOICES = 8


class _Member(BaseModel):
    """Members that are not named are allowed and do nothing; a value is never turned into another type."""

    model_config = ConfigDict(strict=True, frozen=True)


class _Part(_Member):
    type: str
    text: str = ""
    refusal: str = ""


class _Function(_Member):
    name: Annotated[str, Field(min_length=1)]
    arguments: str = "{}"
    parameters: Mapping[str, Any] | None = None


class _CalledTool(_Member):
    """A call in an assistant's message; only those of functions hold one."""

    id: str
    function: _Function | None = None


class _OfferedTool(_Member):
    type: str
    function: _Function | None = None


class _ChatMessage(_Member):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[_Part] | None = None
    name: str | None = None
    tool_calls: list[_CalledTool] | None = None
    tool_call_id: str | None = None

    def to_message(self) -> Message:
        """The message as the responder takes it; parts that are no text (images, audio) are left out."""
        parts = self.content if isinstance(self.content, list) else []
        text = self.content if isinstance(self.content, str) else " ".join(p.text for p in parts if p.text)
        roles = {"developer": Role.SYSTEM, "function": Role.TOOL}
        calls = [(call.id, call.function) for call in self.tool_calls or []]
        return Message(
            role=roles.get(self.role) or Role(self.role),
            text=text,
            name=self.name or "",
            tool_calls=tuple(ToolCall(key, f.name, f.arguments) for key, f in calls if f is not None),
            tool_call_id=self.tool_call_id or "",
        )


class _StreamOptions(_Member):
    include_usage: bool | None = False


class _ResponseFormat(_Member):
    type: Literal["text"]


class _NamedChoice(_Member):
    type: Literal["function"]
    function: _Function


class ChatRequest(_Member):
    """The members of a request that matter here; others are allowed and do nothing (`temperature`)."""

    model: str
    messages: Annotated[list[_ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = False
    stream_options: _StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = 1
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    tools: list[_OfferedTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | _NamedChoice | None = None
    response_format: _ResponseFormat | None = None

    @property
    def max_words(self) -> int | None:
        """How long the answer may be: the responder counts words where a language model counts tokens."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with its usage."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def conversation(self) -> list[Message]:
        """The messages as the responder takes them."""
        return [message.to_message() for message in self.messages]

    def offered(self) -> list[Tool]:
        """The functions that may be called; none when `tool_choice` says so."""
        if self.tool_choice == "none":
            return []
        return [_to_tool(tool.function) for tool in self.tools or [] if tool.function is not None]

    def forced(self) -> Tool | None:
        """The function that must be called: the one that `tool_choice` names, or the first if any will do.

        Raises:
            ApiError: it names a function that is not offered.
        """
        tools = self.offered()
        if not isinstance(self.tool_choice, _NamedChoice):
            return tools[0] if self.tool_choice == "required" and tools else None
        for tool in tools:
            if tool.name == self.tool_choice.function.name:
                return tool
        raise ApiError(
            "tool_choice: names a function that tools does not have", param="tool_choice", code="invalid_value"
        )


def _to_tool(function: _Function) -> Tool:
    schema = function.parameters or {}
    properties = schema.get("properties")
    required = schema.get("required")
    if not isinstance(properties, dict):
        return Tool(function.name)
    needed = set(map(str, required)) if isinstance(required, list) else set()
    types = {key: _type(value) for key, value in properties.items() if isinstance(value, dict)}
    return Tool(function.name, tuple(Parameter(key, kind, key in needed) for key, kind in types.items()))


def _type(schema: Mapping[str, Any]) -> str:
    """The JSON schema type of a parameter; of several (`["string", "null"]`) the first that is a value."""
    named = schema.get("type")
    kinds = named if isinstance(named, list) else [named]
    return next((kind for kind in kinds if isinstance(kind, str) and kind != "null"), "")
