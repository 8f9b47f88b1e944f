"""The chat's connection: the protocol's rules as options, and what the log says when it is over."""

import re

import pytest
from pydantic import SecretStr

from agent.chat.connection import CHAT_OPTIONS, chat_client, explain
from agent.chat.dialect import dialect_named
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import MAX_FRAME_BYTES
from agent.websocket import AddressError, Close, ConnectError, HandshakeRefused, Stopped, StopReason
from tests.websocket.fake_transport import FakeLink, FakeTransport

SECRET = "hunter2"


def endpoint(url: str = "ws://h/ws/v1/") -> ChatEndpoint:
    return ChatEndpoint(url, "42", "", SecretStr(SECRET), "visitor")


def test_the_options_are_those_of_the_protocol() -> None:
    """Ten attempts, 1 s to 30 s, frames up to the protocol's limit; what is final is final."""
    assert CHAT_OPTIONS.reconnect_attempts == 10
    assert CHAT_OPTIONS.max_size == MAX_FRAME_BYTES
    interval = CHAT_OPTIONS.reconnect_interval
    assert callable(interval)
    assert 0.8 <= interval(0) <= 1.0
    assert 24.0 <= interval(9) <= 30.0
    for code in (1000, 1008, 4401, 4403):
        assert not CHAT_OPTIONS.should_reconnect(Close(code, opened=True))
    for status in (401, 403, 404):
        assert not CHAT_OPTIONS.should_reconnect(Close(error=HandshakeRefused(status)))
    assert CHAT_OPTIONS.should_reconnect(Close(1006, opened=True))


@pytest.mark.parametrize(
    ("dialect", "url", "headers"),
    [
        ("guide", f"ws://h/ws/v1/conversation/42/?token={SECRET}&app_type=social", {}),
        ("unpod", "ws://h/ws/v1/conversation/42/", {"Authorization": f"JWT {SECRET}"}),
    ],
)
async def test_the_address_is_the_dialects_and_hidden(dialect: str, url: str, headers: dict[str, str]) -> None:
    """The credentials reach the server where the dialect puts them, and nothing that is printed."""
    transport = FakeTransport(FakeLink())
    client = chat_client(endpoint(), dialect_named("guide" if dialect == "guide" else "unpod"), transport=transport)
    events = client.events()
    async with client:
        await anext(events)
    (address,) = transport.attempts
    assert (address.full_url, dict(address.headers)) == (url, headers)
    assert SECRET not in repr(client) + repr(address) + str(address)


@pytest.mark.parametrize(
    ("stopped", "words"),
    [
        (Stopped(StopReason.REFUSED, 0, Close(error=HandshakeRefused(401))), "refused the connection with 401: check "),
        (Stopped(StopReason.REFUSED, 0, Close(4403, SECRET, opened=True)), "closed the connection for good with 4403"),
        (
            Stopped(StopReason.NO_ADDRESS, 0, Close(error=AddressError("none", final=True))),
            "CHAT_API_URL is not a WebSocket address",
        ),
        (
            Stopped(StopReason.EXHAUSTED, 10, Close(error=ConnectError("no connection (TimeoutError)"))),
            r"given up after 10 attempts \(no connection \(TimeoutError\)\)",
        ),
        (Stopped(StopReason.NOT_WANTED, 0, Close(1000, SECRET, opened=True)), r"ended the connection \(closed with"),
    ],
)
def test_the_log_says_what_to_do(stopped: Stopped, words: str) -> None:
    """Which setting to look at, what the server said in numbers, and none of its words."""
    assert re.search(words, explain(stopped))
    assert SECRET not in explain(stopped)
