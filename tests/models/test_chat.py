"""Chat completions through the stock client: whole and streamed, tools, usage, choices, limits, and what is refused."""

import json

import openai
import pytest
from openai import OpenAI

from agent.tools.untrusted import wrap
from tests.models.models_process import ModelsProcess
from tests.models.plain_http import post_json
from tests.models.talk import MODEL, called, complete, function, reply, result, spoken, user

ROLL_DICE = function("roll_dice", ("sides",), sides="integer")
WEATHER = function("get_weather", ("city",), city="string", days=["integer", "null"])


def test_a_whole_answer_has_the_shape_of_the_api(client: OpenAI) -> None:
    """Model, id, one choice that has come to its end, and a usage that adds up."""
    answer = complete(client, user("I like tea."))
    assert (answer.model, answer.object) == (MODEL, "chat.completion")
    assert answer.id.startswith("chatcmpl-")
    assert [(choice.index, choice.finish_reason) for choice in answer.choices] == [(0, "stop")]
    assert answer.choices[0].message.role == "assistant"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (3, 5)
    assert answer.usage.total_tokens == 8


def test_a_streamed_answer_joins_to_the_whole_one(client: OpenAI) -> None:
    """Word by word, one id, the role first, the reason for the end last."""
    with client.chat.completions.create(model=MODEL, messages=[user("I like tea.")], stream=True) as stream:
        chunks = list(stream)
    assert len({chunk.id for chunk in chunks}) == 1
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert deltas[0].role == "assistant"
    words = [delta.content for delta in deltas if delta.content]
    assert len(words) > 1
    assert "".join(words) == reply(client, user("I like tea."))
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert all(chunk.usage is None for chunk in chunks)


def test_the_usage_of_a_stream_comes_last_when_asked_for(client: OpenAI) -> None:
    """With `include_usage` a chunk of its own, without choices, holds what a whole answer would say."""
    with client.chat.completions.create(
        model=MODEL, messages=[user("I like tea.")], stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].choices == []
    assert chunks[-1].usage == complete(client, user("I like tea.")).usage


def test_the_streaming_helper_of_the_client_understands_it(client: OpenAI) -> None:
    """`chat.completions.stream` puts the parts together by itself."""
    with client.chat.completions.stream(model=MODEL, messages=[user("I like tea.")]) as stream:
        answer = stream.get_final_completion()
    assert answer.choices[0].message.content == "You said: I like tea."


@pytest.mark.parametrize("stream", [False, True])
def test_several_choices_are_the_same_answer(client: OpenAI, stream: bool) -> None:
    """`n`: the responder has one opinion, and gives it as often as it is asked to."""
    if stream:
        texts = ["", "", ""]
        with client.chat.completions.create(model=MODEL, messages=[user("Tea.")], n=3, stream=True) as chunks:
            for chunk in chunks:
                for choice in chunk.choices:
                    texts[choice.index] += choice.delta.content or ""
    else:
        answer = client.chat.completions.create(model=MODEL, messages=[user("Tea.")], n=3)
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 9
        texts = [choice.message.content or "" for choice in answer.choices]
    assert texts == ["You said: Tea."] * 3


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_an_answer_is_cut_off_where_the_caller_wants_it(client: OpenAI, limit: int) -> None:
    """Both names of the limit; the reason for the end says whether it was cut."""
    whole = reply(client, user("Who are you?")).split()
    old = client.chat.completions.create(model=MODEL, messages=[user("Who are you?")], max_tokens=limit)
    new = client.chat.completions.create(model=MODEL, messages=[user("Who are you?")], max_completion_tokens=limit)
    assert old.choices[0].message.content == new.choices[0].message.content == " ".join(whole[:limit])
    assert new.choices[0].finish_reason == ("length" if limit < len(whole) else "stop")


def test_members_for_language_models_do_nothing(client: OpenAI) -> None:
    """A client that is set up for a large model needs no other settings here."""
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[user("Tea.")],
        temperature=0.7,
        top_p=0.9,
        frequency_penalty=0.1,
        seed=7,
        user="ana",
        stop=["\n"],
        parallel_tool_calls=False,
        response_format={"type": "text"},
        reasoning_effort="low",
    )
    assert answer.choices[0].message.content == "You said: Tea."


def test_text_in_parts_is_read_and_pictures_are_left_out(client: OpenAI) -> None:
    """Content may be a list."""
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "I like"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                    {"type": "text", "text": "tea."},
                ],
            }
        ],
    )
    assert answer.choices[0].message.content == "You said: I like tea."


def test_a_tool_is_called_when_its_name_is_said(client: OpenAI) -> None:
    """The words of its name and a number are enough; anything more would need a language model."""
    answer = client.chat.completions.create(
        model=MODEL, messages=[spoken("Please roll a dice with 20 sides.")], tools=[WEATHER, ROLL_DICE]
    )
    choice = answer.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert choice.message.tool_calls is not None
    [call] = choice.message.tool_calls
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("roll_dice", {"sides": 20})
    assert call.id


def test_a_streamed_tool_call_joins_to_the_same_call(client: OpenAI) -> None:
    """Name first, arguments after, as the client's own helper puts them together."""
    with client.chat.completions.stream(
        model=MODEL, messages=[spoken("What is the weather in New York?")], tools=[WEATHER]
    ) as stream:
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    [call] = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "New York"})


@pytest.mark.parametrize(
    ("gave", "says"),
    [
        ("17", "The result of roll dice is: 17."),
        ("Sunny, 21 degrees.", "The result of roll dice is: Sunny, 21 degrees."),
        ('{"rolled": 17, "maxSides": 20}', "The result of roll dice is: rolled 17, max sides 20."),
        ("[1, 2, 3]", "The result of roll dice is: 1, 2, 3."),
        ("", "I called roll dice; it gave nothing back."),
        (wrap("roll_dice", '{"rolled": 17}'), "The result of roll dice is: rolled 17."),
        ("[" * 5_000, "The result of roll dice is: [[["),
    ],
)
def test_what_a_tool_gave_back_is_told_in_words(client: OpenAI, gave: str, says: str) -> None:
    """JSON is made speakable; what is too deep or too long for that is not read to its end."""
    answer = reply(client, spoken("Roll the dice."), called("roll_dice"), result(gave))
    assert answer.startswith(says.rstrip("."))
    assert len(answer) < 500


def test_results_of_several_tools_are_all_told(client: OpenAI) -> None:
    """In the order in which they came."""
    answer = reply(
        client,
        spoken("Both, please."),
        called("roll_dice", call_id="a"),
        called("get_weather", call_id="b"),
        result("17", "a"),
        result("sunny", "b"),
    )
    assert answer == "The result of roll dice is: 17. The result of get weather is: sunny."


def test_a_tool_is_not_called_against_the_callers_choice(client: OpenAI) -> None:
    """`tool_choice`: none, required, or one by its name."""

    def choose(**choice: object) -> str | None:
        message = (
            client.chat.completions.create(
                model=MODEL,
                messages=[spoken("Roll the dice.")],
                tools=[WEATHER, ROLL_DICE],
                **choice,  # type: ignore[call-overload]
            )
            .choices[0]
            .message
        )
        return message.tool_calls[0].function.name if message.tool_calls else None

    assert choose(tool_choice="none") is None
    assert choose(tool_choice="auto") == "roll_dice"
    assert choose(tool_choice="required") == "get_weather"
    assert choose(tool_choice={"type": "function", "function": {"name": "get_weather"}}) == "get_weather"


def test_a_choice_of_a_tool_that_is_not_offered_is_refused(client: OpenAI) -> None:
    """400 that names the member."""
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            model=MODEL,
            messages=[user("Tea.")],
            tools=[WEATHER],
            tool_choice={"type": "function", "function": {"name": "heliotrope"}},
        )
    assert refused.value.param == "tool_choice"


@pytest.mark.parametrize("number", ["9" * 400, "1e400", "-" + "9" * 20, "٣"])
def test_a_number_beyond_all_measure_is_no_argument(client: OpenAI, number: str) -> None:
    """Whatever figures are said, the arguments are valid JSON."""
    message = (
        client.chat.completions.create(model=MODEL, messages=[user(f"roll dice {number}")], tools=[ROLL_DICE])
        .choices[0]
        .message
    )
    assert message.tool_calls is not None
    arguments = json.loads(message.tool_calls[0].function.arguments, parse_constant=pytest.fail)  # type: ignore[union-attr]
    assert set(arguments) <= {"sides"}


def test_text_alone_can_be_asked_for(client: OpenAI) -> None:
    """JSON by a schema is beyond rules, and nothing else would come than an answer that is none."""
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=MODEL, messages=[user("Tea.")], response_format={"type": "json_object"})
    assert refused.value.param == "response_format.type"


@pytest.mark.parametrize("model", ["gpt-4.1", "hibari", "", "x" * 5_000])
def test_an_unknown_model_is_not_found(client: OpenAI, model: str) -> None:
    """The error says which one thinks."""
    with pytest.raises(openai.NotFoundError, match=MODEL) as refused:
        client.chat.completions.create(model=model, messages=[user("Tea.")])
    assert (refused.value.param, refused.value.code) == ("model", "model_not_found")
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"heliotrope",
        b'{"model": ',
        b'"heliotrope"',
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": "\\ud800"}',
    ],
)
def test_a_body_that_is_no_json_object_is_refused(server: ModelsProcess, body: bytes) -> None:
    """400 with a code for programs; the body is not in the log."""
    answer = post_json(server.port, "/v1/chat/completions", body)
    assert (answer.status, answer.error()["code"]) == (400, "invalid_json")
    assert "heliotrope" not in server.log()


MESSAGES: list[object] = [{"role": "user", "content": "heliotrope"}]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": MESSAGES}, "model"),
        ({"model": MODEL}, "messages"),
        ({"model": MODEL, "messages": []}, "messages"),
        ({"model": MODEL, "messages": "heliotrope"}, "messages"),
        ({"model": MODEL, "messages": ["heliotrope"]}, "messages.0"),
        ({"model": MODEL, "messages": [{"content": "heliotrope"}]}, "messages.0.role"),
        ({"model": MODEL, "messages": [{"role": "heliotrope", "content": ""}]}, "messages.0.role"),
        ({"model": MODEL, "messages": [{"role": "user", "content": 7}]}, "messages.0.content"),
        ({"model": 7, "messages": MESSAGES}, "model"),
        ({"model": MODEL, "messages": MESSAGES, "stream": "yes"}, "stream"),
        ({"model": MODEL, "messages": MESSAGES, "n": 0}, "n"),
        ({"model": MODEL, "messages": MESSAGES, "n": 1000}, "n"),
        ({"model": MODEL, "messages": MESSAGES, "max_tokens": 0}, "max_tokens"),
        ({"model": MODEL, "messages": MESSAGES, "max_tokens": "ten"}, "max_tokens"),
        ({"model": MODEL, "messages": MESSAGES, "tools": {}}, "tools"),
        (
            {"model": MODEL, "messages": MESSAGES, "tools": [{"type": "function", "function": {}}]},
            "tools.0.function.name",
        ),
        ({"model": MODEL, "messages": MESSAGES, "tool_choice": "heliotrope"}, "tool_choice"),
        ({"model": MODEL, "messages": MESSAGES * 5_001}, "messages"),
    ],
)
def test_a_wrong_member_is_named(server: ModelsProcess, body: dict[str, object], param: str) -> None:
    """400 with the name of what is missing or wrong; what was said is neither in the answer nor in the log."""
    answer = post_json(server.port, "/v1/chat/completions", json.dumps(body).encode())
    error = answer.error()
    assert (answer.status, error["code"]) == (400, "invalid_value")
    assert error["param"].startswith(param)
    assert "heliotrope" not in error["message"]
    assert "heliotrope" not in server.log()


def test_a_conversation_beyond_two_megabytes_is_refused(server: ModelsProcess) -> None:
    """413, before it is read."""
    answer = post_json(server.port, "/v1/chat/completions", b" " * (2 * 1024 * 1024 + 1))
    assert (answer.status, answer.error()["code"]) == (413, "request_too_large")
