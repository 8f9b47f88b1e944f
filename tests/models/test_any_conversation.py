"""Whatever a conversation holds, it gets an answer: no list of messages brings an error of the server."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import OpenAI

from tests.models.talk import MODEL

# Words that mean something to the responder are more likely to lead it astray than any others.
WORDS = st.sampled_from(
    (
        *("what", "did", "i", "you", "type", "typed", "say", "first", "who", "are", "hello", "?", "\n", "7"),
        *("before that", "my last message", "how many messages", "repeat that", "my name is", "call me", "roll dice"),
        *("[typed]", "[typed] "),
    )
)
TEXT = st.one_of(
    st.text(max_size=30), st.lists(WORDS, max_size=8).map(" ".join), st.sampled_from([" ", "\0", "[]", "{}"])
)
PARTS = st.lists(
    st.one_of(
        st.builds(lambda text: {"type": "text", "text": text}, TEXT),
        st.just({"type": "image_url", "image_url": {"url": "data:,"}}),
        st.just({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}),
    ),
    max_size=3,
)
CALLS = st.lists(
    st.one_of(
        st.builds(
            lambda key, name, arguments: {
                "id": key,
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            },
            st.sampled_from(["a", "b"]),
            st.text(min_size=1, max_size=10),
            TEXT,
        ),
        st.just({"id": "c", "type": "custom", "custom": {"name": "x", "input": "y"}}),
    ),
    max_size=2,
)
MESSAGE = st.one_of(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "developer"]), "content": st.one_of(TEXT, PARTS)}),
    st.fixed_dictionaries(
        {"role": st.just("user"), "content": st.one_of(TEXT, PARTS)},
        optional={"name": st.sampled_from(["voice", "chat", "room", "ana", ""])},
    ),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": st.one_of(st.none(), TEXT, PARTS)}, optional={"tool_calls": CALLS}
    ),
    st.fixed_dictionaries({"role": st.just("tool"), "content": TEXT, "tool_call_id": st.sampled_from(["a", "b"])}),
    st.fixed_dictionaries({"role": st.just("function"), "content": TEXT, "name": st.just("roll_dice")}),
)
KINDS = st.one_of(
    st.sampled_from(["string", "integer", "number", "boolean", "array", "null"]),
    st.lists(st.sampled_from(["string", "null"]), max_size=2),
    st.none(),
)
TOOL = st.builds(
    lambda name, types: {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {
                "type": "object",
                "properties": {key: {"type": kind} for key, kind in types.items()},
                "required": list(types),
            },
        },
    },
    st.one_of(st.just("roll_dice"), st.text(min_size=1, max_size=10)),
    st.dictionaries(st.text(max_size=5), KINDS, max_size=3),
)


@given(
    messages=st.lists(MESSAGE, min_size=1, max_size=6),
    tools=st.lists(TOOL, max_size=2),
    choice=st.sampled_from(["auto", "none", "required"]),
    limit=st.one_of(st.none(), st.integers(1, 5)),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_conversation_is_answered(
    client: OpenAI, messages: list[Any], tools: list[Any], choice: Any, limit: int | None
) -> None:
    """With words, or with a call of a tool that was offered; streamed it is the same."""
    more: dict[str, Any] = {"tools": tools, "tool_choice": choice} if tools else {}
    message = (
        client.chat.completions.create(model=MODEL, messages=messages, max_tokens=limit, **more).choices[0].message
    )
    calls = message.tool_calls or []
    assert (message.content or "").strip() or calls
    assert {call.function.name for call in calls if call.type == "function"} <= {t["function"]["name"] for t in tools}
    with client.chat.completions.create(
        model=MODEL, messages=messages, max_tokens=limit, stream=True, **more
    ) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == (message.content or "")
