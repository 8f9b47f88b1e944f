"""The chat connection against a real WebSocket server: when it comes back, and when it must not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from agent.chat.connection import ChatConnection, ChatRefused, ReconnectPolicy
from agent.chat.dialect import Address

FAST = ReconnectPolicy(attempts=3, first_delay=0.01, longest_delay=0.02)


@asynccontextmanager
async def server(
    handler: Callable[[ServerConnection], Awaitable[None]], status: HTTPStatus | None = None
) -> AsyncIterator[str]:
    """A WebSocket server on a free port, or one that refuses every handshake with a status."""

    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        return connection.respond(status, "no\n") if status is not None else None

    async with serve(handler, "127.0.0.1", 0, process_request=refuse) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}/"


def closing_with(code: int, times: list[int]) -> Callable[[ServerConnection], Awaitable[None]]:
    async def handler(link: ServerConnection) -> None:
        times.append(code)
        await link.close(code)

    return handler


async def count_links(connection: ChatConnection) -> int:
    opened = 0
    async for link in connection.links():
        opened += 1
        await link.wait_closed()
    return opened


@pytest.mark.parametrize("code", [1000, 1008])
async def test_a_final_close_is_not_followed_by_another_link(code: int) -> None:
    """After a close with 1000 the server is left alone (guide, best practice 2)."""
    times: list[int] = []
    async with server(closing_with(code, times)) as url:
        assert await count_links(ChatConnection(lambda: Address(url), FAST)) == 1
    assert len(times) == 1


async def test_a_server_that_accepts_and_drops_is_not_retried_for_ever() -> None:
    """Attempts are counted anew only after a link that lived."""
    times: list[int] = []
    async with server(closing_with(1011, times)) as url:
        assert await count_links(ChatConnection(lambda: Address(url), FAST)) == 1 + FAST.attempts


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN])
async def test_a_refused_handshake_is_final_and_says_what_to_check(status: HTTPStatus) -> None:
    """401 and 403 end it with one clear error that names no token."""
    async with server(closing_with(1011, []), status) as url:
        with pytest.raises(ChatRefused, match=rf"{status.value}.*CHAT_TOKEN") as refusal:
            await count_links(ChatConnection(lambda: Address(url, {"token": "hunter2"}), FAST))
    assert "hunter2" not in str(refusal.value)


async def test_a_server_that_is_not_there_yet_is_tried_again() -> None:
    """Each attempt asks for the address anew, so that a fresh token is used."""
    asked: list[str] = []
    async with server(closing_with(1000, [])) as url:

        def address() -> Address:
            asked.append(url)
            return Address(url if len(asked) == 3 else "ws://127.0.0.1:9/")

        assert await count_links(ChatConnection(address, FAST)) == 1
    assert len(asked) == 3


async def test_after_stop_nothing_is_opened() -> None:
    """We closed: a drop is not followed by another link."""
    connection = ChatConnection(lambda: Address(url), FAST)

    async def handler(link: ServerConnection) -> None:
        connection.stop()
        await link.close(1011)

    async with server(handler) as url:
        async with asyncio.timeout(10):
            assert await count_links(connection) == 1


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_pause_doubles_up_to_thirty_seconds(attempt: int, chance: float) -> None:
    """1 s, 2 s, 4 s … at most 30 s, shortened by at most the jitter."""
    full = min(2.0**attempt if attempt < 32 else 30.0, 30.0)
    assert full * 0.8 <= ReconnectPolicy().delay(attempt, chance) <= full
