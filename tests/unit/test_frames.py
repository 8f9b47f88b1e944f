"""Frames of the guide dialect: both shapes of message, and no input that raises."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.chat.frames import (
    Ignored,
    Malformed,
    ServerError,
    ThreadMessage,
    TypingNotice,
    decode,
    encode_attach,
    encode_batch,
    encode_caption,
    encode_turn,
)
from agent.turns import Channel, Kind, Speaker
from tests.support.turns import make_turn

MESSAGE = {
    "id": "m1",
    "seq": 3,
    "role": "user",
    "text": "Hi",
    "channel": "chat",
    "created_at": "2026-01-01T00:00:00.000Z",
}


@pytest.mark.parametrize(
    "frame",
    [
        {"event": "message", "type": "message", "payload": MESSAGE, "message": MESSAGE},
        {"event": "message", "payload": MESSAGE},
        {"type": "message", "message": MESSAGE},
    ],
)
def test_both_shapes_of_the_guide_are_read(frame: dict[str, Any]) -> None:
    """`event`+`payload` and `type`+`message` say the same."""
    assert decode(json.dumps(frame)) == ThreadMessage(
        text="Hi", role=Speaker.USER, id="m1", seq=3, channel=Channel.CHAT, created_at=1767225600.0
    )


def test_a_bare_string_is_a_message_of_the_backend() -> None:
    """A server written to the guide alone may send only words."""
    assert decode('{"type":"message","message":"Hello"}') == ThreadMessage(text="Hello")


def test_unknown_fields_and_values_are_ignored() -> None:
    """A role, channel or time that we do not know counts as not said."""
    frame = {
        "event": "message",
        "payload": {"text": "Hi", "role": "system", "channel": "fax", "created_at": "soon", "x": 1},
    }
    assert decode(json.dumps(frame)) == ThreadMessage(text="Hi")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", Malformed("not JSON")),
        ("[]", Malformed("not a JSON object")),
        ("{}", Malformed("no event")),
        ('{"event":7}', Malformed("no event")),
        ('{"event":"message"}', Malformed("message without text")),
        ('{"event":"message","payload":{"text":7}}', Malformed("message without text")),
        ('{"event":"typing"}', Malformed("typing without payload")),
        ('{"event":"weather"}', Ignored("weather")),
        (
            '{"event":"typing","payload":{"role":"assistant","active":true,"text":"I"}}',
            TypingNotice(Speaker.ASSISTANT, True, "I"),
        ),
        ('{"event":"error","payload":{"code":"x","message":"m","id":"t"}}', ServerError("x", "m", "t")),
        (b"\xff\xfe", Malformed("not JSON")),
    ],
)
def test_every_other_frame_has_its_value(raw: str | bytes, expected: object) -> None:
    """What cannot be used becomes a value that says why."""
    assert decode(raw) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["event", "type", "payload", "message", "text", "seq", "role"]) | st.text(),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(st.text() | st.binary() | json_values.map(json.dumps))
@example("[" * 100_000)
def test_no_frame_raises(raw: str | bytes) -> None:
    """Whatever a server sends, it becomes one of the known values."""
    assert isinstance(decode(raw), ThreadMessage | TypingNotice | ServerError | Malformed | Ignored)


def test_a_turn_is_appended_with_its_id_and_channel() -> None:
    """The frame stores and shows the turn, and asks for no answer."""
    turn = make_turn("Good morning", id="t1", speaker=Speaker.ASSISTANT, interrupted=True)
    frame = json.loads(encode_turn(turn))
    assert frame["event"] == "action"
    assert {**frame["data"], "created_at": ""} == {
        "action": "append",
        "execution_type": "voice",
        "message": "Good morning",
        "id": "t1",
        "role": "assistant",
        "channel": "voice",
        "interrupted": True,
        "created_at": "",
    }


@pytest.mark.parametrize("kind", [Kind.TOOL, Kind.NOTE])
def test_a_note_says_so_and_comes_back_as_one(kind: Kind) -> None:
    """An extra field, which servers written to the guide alone ignore."""
    data = json.loads(encode_turn(make_turn("21 degrees", kind=kind)))["data"]
    assert data["kind"] == kind.value
    shown = decode(json.dumps({"event": "message", "payload": {**MESSAGE, "kind": kind.value}}))
    assert isinstance(shown, ThreadMessage)
    assert shown.kind is kind


@pytest.mark.parametrize("kind", [None, "speech", "song", 7])
def test_what_is_no_known_kind_is_speech(kind: object) -> None:
    """As every message was before there were kinds."""
    shown = decode(json.dumps({"event": "message", "payload": {**MESSAGE, "kind": kind}}))
    assert isinstance(shown, ThreadMessage)
    assert shown.kind is Kind.SPEECH


def test_batches_are_the_guides() -> None:
    """Several frames leave as one `batch`, a single one as it is."""
    one, two = encode_caption(Speaker.USER, "a"), encode_attach(True)
    assert encode_batch([one]) == one
    assert json.loads(encode_batch([one, two])) == {"batch": [json.loads(one), json.loads(two)]}
