"""Short ways to write a conversation and to have it answered through the stock client."""

from openai import OpenAI
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionAssistantMessageParam,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageParam,
    ChatCompletionSystemMessageParam,
    ChatCompletionToolMessageParam,
    ChatCompletionUserMessageParam,
)

MODEL = "responder"


def system(text: str) -> ChatCompletionSystemMessageParam:
    """Instructions."""
    return {"role": "system", "content": text}


def user(text: str) -> ChatCompletionUserMessageParam:
    """Words of which nothing says how they came."""
    return {"role": "user", "content": text}


def spoken(text: str) -> ChatCompletionUserMessageParam:
    """What was said, as the chat server tells it: by the name of the participant."""
    return {"role": "user", "content": text, "name": "voice"}


def typed(text: str) -> ChatCompletionUserMessageParam:
    """What was typed, as the chat server tells it."""
    return {"role": "user", "content": text, "name": "chat"}


def assistant(text: str) -> ChatCompletionAssistantMessageParam:
    """An earlier answer."""
    return {"role": "assistant", "content": text}


def called(name: str, arguments: str = "{}", call_id: str = "call_1") -> ChatCompletionAssistantMessageParam:
    """An assistant's message that calls a function."""
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],  # type: ignore[typeddict-item]
    }


def result(text: str, call_id: str = "call_1") -> ChatCompletionToolMessageParam:
    """What a function gave back."""
    return {"role": "tool", "content": text, "tool_call_id": call_id}


def function(name: str, required: tuple[str, ...] = (), **types: object) -> ChatCompletionFunctionToolParam:
    """A function on offer, with the JSON types of its parameters."""
    properties = {key: {"type": kind} for key, kind in types.items()}
    parameters: dict[str, object] = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def complete(client: OpenAI, *messages: ChatCompletionMessageParam) -> ChatCompletion:
    """The whole answer to a conversation."""
    return client.chat.completions.create(model=MODEL, messages=messages)


def reply(client: OpenAI, *messages: ChatCompletionMessageParam) -> str:
    """The words of the answer to a conversation."""
    return complete(client, *messages).choices[0].message.content or ""
