"""Who may open what: credentials, ownership, and pages of other origins."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from websockets.exceptions import InvalidStatus

from agent.dev.chat.credentials import (
    Kind,
    Principal,
    Unauthorized,
    agent_token,
    authenticate,
    user_token,
)
from tests.chat_server.conftest import SECRETS, ChatServer
from tests.chat_server.plain_client import open_client


def token(**claims: Any) -> str:
    given = {"sub": "ana", "role": "user", "exp": int(time.time()) + 60, **claims}
    return jwt.encode({k: v for k, v in given.items() if v is not None}, SECRETS.chat_jwt_secret, algorithm="HS256")


async def refused(server: ChatServer, conversation: str, **query: str) -> int:
    with pytest.raises(InvalidStatus) as error:
        await server.open(conversation, **query)
    status: int = error.value.response.status_code
    return status


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"token": ""},
        {"token": "nonsense"},
        {"token": token(exp=int(time.time()) - 60)},
        {"token": token(exp=None)},
        {"token": token(role="admin")},
        {"token": token(sub="")},
        {"token": jwt.encode({"sub": "ana", "role": "user", "exp": 4e9}, "another secret" * 4, algorithm="HS256")},
        {"token": jwt.encode({"sub": "ana", "role": "user", "exp": 4e9}, "", algorithm="none")},
        {"session_user": "x" * 129},
        {"session_user": "\x00"},
        {"token": "nonsense", "session_user": "a-visitor"},
    ],
)
async def test_bad_credentials_are_refused_with_401(server: ChatServer, query: dict[str, str]) -> None:
    """Missing, damaged, foreign, expired or unsigned credentials refuse the handshake and the history with 401."""
    assert await refused(server, "c1", **query) == 401
    await server.get("/ws/v1/conversation/c1/messages/", 401, **query)


def test_the_header_comes_before_the_query() -> None:
    """`Authorization: JWT` or `Bearer` says who asks, whatever the query says."""
    for scheme in ("JWT", "Bearer"):
        headers = {"Authorization": f"{scheme} {user_token(SECRETS, 'ana')}"}
        assert authenticate(SECRETS, headers, {"session_user": "v"}) == Principal(Kind.USER, "ana")
    with pytest.raises(Unauthorized):
        authenticate(SECRETS, {"Authorization": "Basic eA=="}, {"session_user": "v"})


async def test_a_conversation_belongs_to_who_opened_it(server: ChatServer) -> None:
    """Another visitor, and a user of the visitor's name, get 403 everywhere; the owner and the worker do not."""
    await server.visitor("c1", "ana")
    assert await refused(server, "c1", session_user="eve") == 403
    assert await refused(server, "c1", token=user_token(SECRETS, "ana")) == 403
    await server.get("/ws/v1/conversation/c1/messages/", 403, session_user="eve")
    await server.get("/conversation/c1/messages/", 403, session_user="eve")
    await server.post("/api/generate-room-token", {"conversation": "c1"}, 403, session_user="eve")
    await server.visitor("c1", "ana")
    await server.worker("c1")


async def test_the_worker_leaves_a_new_conversation_to_its_user(server: ChatServer) -> None:
    """A conversation that the worker opens first belongs to the first person who opens it."""
    await server.worker("c1")
    await server.visitor("c1", "ana")
    assert await refused(server, "c1", session_user="eve") == 403


async def test_ownership_outlives_a_restart(serve: Callable[..., Any]) -> None:
    """After a restart the conversation is still its owner's."""
    first, runner = await serve()
    await first.visitor("c1", "ana")
    await runner.cleanup()
    second = (await serve())[0]
    assert await refused(second, "c1", session_user="eve") == 403


@pytest.mark.parametrize("conversation", ["a.b", "a%20b", "x" * 129, "%00", "ä"])
async def test_an_id_that_is_none_is_refused(server: ChatServer, conversation: str) -> None:
    """What cannot be a conversation's id is 404, on the WebSocket and over HTTP."""
    assert await refused(server, conversation, session_user="v") == 404
    await server.get("/ws/v1/conversation/a.b/messages/", 404, session_user="v")


async def test_an_unknown_conversation_has_no_history(server: ChatServer) -> None:
    """Reading a conversation that nobody opened is 404 with a clear error, and does not make it."""
    for _ in range(2):
        body = await server.get("/ws/v1/conversation/nobody/messages/", 404, session_user="v")
        assert body["error"]["code"] == "unknown_conversation"


async def test_only_pages_of_this_machine_may_ask(server: ChatServer) -> None:
    """A page of another origin, or under a foreign name, is refused; local pages are told that they may read."""
    url = server.url("c1", session_user="v")
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}):
        with pytest.raises(InvalidStatus) as error:
            await open_client(url, **headers)
        assert error.value.response.status_code == 403
    await (await open_client(url, Origin="http://localhost:5173")).close()

    base = f"http://127.0.0.1:{server.port}"
    async with server.http.get(f"{base}/api/config", headers={"Host": "evil.example"}) as response:
        assert response.status == 403
    origin = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "POST"}
    async with server.http.options(f"{base}/api/generate-room-token", headers=origin) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    async with server.http.post(f"{base}/api/dev/login", headers={"Origin": "http://evil.example"}) as response:
        assert response.status == 403
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_another_site_cannot_have_a_browser_ask(server: ChatServer) -> None:
    """An image or a link of another site reaches the page at most: it opens no conversation and gets no token."""
    base = f"http://127.0.0.1:{server.port}"
    by_other_site = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for path, status in (("/api/generate-room-token?session_user=eve&conversation=c1", 403), ("/", 503)):
        async with server.http.get(base + path, headers=by_other_site) as response:
            assert response.status == status, path
    by_our_page = {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:5173"}
    async with server.http.get(f"{base}/api/config", headers=by_our_page) as response:
        assert response.status == 200
    await server.visitor("c1", "ana")


async def test_login(server: ChatServer) -> None:
    """A name gets a token that opens the chat; what is no name gets 400."""
    made = (await server.post("/api/dev/login", {"user": "ana"}))["token"]
    await server.open("c1", token=made)
    assert await refused(server, "c1", token=user_token(SECRETS, "bob")) == 403
    bad: list[object] = [{}, {"user": ""}, {"user": 7}, {"user": "x" * 65}, {"user": "a\nb"}, []]
    for body in bad:
        assert (await server.post("/api/dev/login", body, 400))["error"]["code"] == "bad_request"


async def test_nothing_secret_is_logged(server: ChatServer, caplog: pytest.LogCaptureFixture) -> None:
    """Neither what people write nor their credentials reach the log, with bad frames and refusals included."""
    caplog.set_level("DEBUG", logger="agent")
    made = agent_token(SECRETS)
    client = await server.open("c1", token=made)
    await client.action("append", message="the secret word is plugh")
    await client.message()
    await client.send("plugh is not JSON")
    await client.event("error")
    await refused(server, "c1", token="plugh-token")
    await client.close()
    assert "connection open" in caplog.text
    assert "connection refused" in caplog.text
    assert "plugh" not in caplog.text
    assert made not in caplog.text
