"""Blocks of the unpod dialect: a turn survives them, and no input raises."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from agent.brains.thread_turns import to_turn
from agent.chat import unpod
from agent.chat.dialect import Address, UnpodDialect
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import Ignored, Malformed, ServerError, ThreadMessage, TypingNotice
from agent.turns import Channel, Speaker
from tests.support.turns import make_turn

ENDPOINT = ChatEndpoint("wss://chat.example/ws/v1/", "42", "", SecretStr("hunter2"), "visitor")


def echo_of(frame: str, seq: int = 5) -> str:
    """The block that the service shows to everyone after it stored a frame."""
    data = json.loads(frame)["data"]
    return json.dumps({"event": "block", "data": {**data, "block_id": "b1", "seq_number": seq, "user": {"id": 7}}})


@given(st.text(min_size=1), st.sampled_from(Speaker), st.sampled_from(Channel), st.booleans())
def test_a_turn_survives_its_block(text: str, speaker: Speaker, channel: Channel, interrupted: bool) -> None:
    """The free field brings back id, speaker, channel and the mark of interruption."""
    turn = make_turn(text, speaker=speaker, channel=channel, interrupted=interrupted)
    message = unpod.decode(echo_of(unpod.encode_turn(turn)))
    assert isinstance(message, ThreadMessage)
    back = to_turn(message, "c")
    assert (back.id, back.text, back.speaker, back.channel, back.interrupted, back.seq) == (
        turn.id, text, speaker, channel, interrupted, 5,
    )  # fmt: skip


@pytest.mark.parametrize("content", ["0", "null", "false"])
def test_contents_that_the_service_swallows_are_protected(content: str) -> None:
    """They leave with a trailing space and come back without it."""
    frame = unpod.encode_turn(make_turn(content))
    assert json.loads(frame)["data"]["data"]["content"] == content + " "
    assert getattr(unpod.decode(echo_of(frame)), "text", None) == content


def test_a_foreign_block_has_its_own_id_and_its_writers_role() -> None:
    """A person's block without our field is typed; one of nobody is the service's answer."""
    block = {"block_id": "b9", "seq_number": 2, "user": {"id": 7}, "data": {"content": "Hi"}}
    typed = unpod.decode_block(block)
    assert isinstance(typed, ThreadMessage)
    assert replace(typed, id="b9") == ThreadMessage("Hi", Speaker.USER, "b9", 2, Channel.CHAT)
    another = unpod.decode_block({**block, "data": {"content": "Bye"}})
    assert isinstance(another, ThreadMessage)
    assert typed.id != another.id, "block ids can collide"
    assert getattr(unpod.decode_block({**block, "user": None}), "role", None) is Speaker.ASSISTANT


@given(st.text() | st.binary() | st.dictionaries(st.text(), st.text()).map(json.dumps))
def test_no_frame_raises(raw: str | bytes) -> None:
    """Whatever the service sends, it becomes one of the known values."""
    assert isinstance(unpod.decode(raw), ThreadMessage | TypingNotice | ServerError | Malformed | Ignored)


def test_the_token_stands_in_the_header_alone() -> None:
    """No address of this dialect holds a secret, and `social` is never sent."""
    for address in (UnpodDialect().websocket(ENDPOINT), UnpodDialect().history(ENDPOINT, 0)):
        assert address.headers == {"Authorization": "JWT hunter2"}
        assert "hunter2" not in address.url + str(address.params)
        assert "app_type" not in address.params


def test_pages_are_read_back_to_what_is_known() -> None:
    """Newest first: reading goes on while there is a next page and nothing known was reached."""
    dialect = UnpodDialect()
    asked = dialect.history(ENDPOINT, 0)
    blocks = [{"block_id": f"b{n}", "seq_number": n, "data": {"content": str(n)}} for n in (300, 299)]
    page = dialect.read_page(ENDPOINT, asked, {"results": blocks, "next": "x"}, 0)
    assert isinstance(page.next, Address)
    assert page.next.params["page"] == "2"
    assert dialect.read_page(ENDPOINT, asked, {"results": blocks, "next": None}, 0).next is None
    assert dialect.read_page(ENDPOINT, asked, {"results": blocks, "next": "x"}, 400).next is None
