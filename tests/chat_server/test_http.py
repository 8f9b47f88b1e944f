"""The HTTP side: history, health, config, and the page's files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.dev.chat.app import create_chat_app
from agent.dev.chat.thread.schema import StoreError, connect
from agent.dev.chat.thread.store import ChatStore
from agent.settings import load_settings
from agent.turns import Kind
from tests.chat_server.conftest import SECRETS, ChatServer

HISTORY = "/ws/v1/conversation/c1/messages/"


async def test_history_pages_oldest_first(server: ChatServer) -> None:
    """`after` and `limit` walk through the thread in order; `next` is the `after` of the next page, at last null."""
    client = await server.visitor("c1")
    for n in range(5):
        await client.action("append", message=f"m{n}")
    sent = await client.messages(5)
    first = await server.get(HISTORY, session_user="visitor-1", limit="2")
    assert first == {"results": sent[:2], "next": 2}
    second = await server.get(HISTORY, session_user="visitor-1", limit="2", after=str(first["next"]))
    assert second == {"results": sent[2:4], "next": 4}
    last = await server.get(HISTORY, session_user="visitor-1", limit="2", after="4")
    assert last == {"results": sent[4:], "next": None}
    assert (await server.get(HISTORY, session_user="visitor-1", after="99"))["results"] == []


@pytest.mark.parametrize("query", [{"after": "-1"}, {"after": "x"}, {"limit": "0"}, {"limit": "1e3"}])
async def test_bad_paging_is_refused(server: ChatServer, query: dict[str, str]) -> None:
    """What is no number, or too small, is 400."""
    await server.visitor("c1")
    await server.get(HISTORY, 400, session_user="visitor-1", **query)


async def test_config_tells_the_page_where_it_is(server: ChatServer) -> None:
    """The page learns the chat's address as it is seen from outside, and the models by name."""
    config = await server.get("/api/config")
    assert config["chatApiUrl"] == f"ws://127.0.0.1:{server.port}/ws/v1/"
    assert config["livekitUrl"] == "ws://127.0.0.1:7880"
    assert config["chat"] == "embedded"
    assert config["models"]["llm"] == ["local/responder"]


async def test_healthz(server: ChatServer) -> None:
    """Health is 200 while the store answers."""
    assert await server.get("/healthz") == {"status": "ok"}


async def test_an_external_chat_has_no_routes_here(serve: Callable[..., Any]) -> None:
    """With the chat elsewhere the page is told so, and neither WebSocket nor history are served."""
    env = {"CHAT_API_URL": "wss://chat.example/ws/v1/"}
    server: ChatServer = (await serve(env, embedded_chat=False))[0]
    config = await server.get("/api/config")
    assert (config["chat"], config["chatApiUrl"]) == ("external", "wss://chat.example/ws/v1/")
    assert (await server.get(HISTORY, 404, session_user="v"))["error"]["code"] == "not_found"


async def test_the_page_is_served_with_its_fallback(serve: Callable[..., Any], tmp_path: Path) -> None:
    """Files are served, the page's own routes get `index.html`, missing files 404, and nothing outside is reached."""
    page = tmp_path / "dist"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<html>the page</html>")
    (page / "assets" / "app-1.js").write_text("run()")
    (tmp_path / "secret.txt").write_text("secret")
    server: ChatServer = (await serve(page_dir=page))[0]
    base = f"http://127.0.0.1:{server.port}"

    async def get(path: str) -> tuple[int, str, str]:
        async with server.http.get(base + path) as response:
            return response.status, await response.text(), response.headers["Cache-Control"]

    assert await get("/") == (200, "<html>the page</html>", "no-cache")
    assert await get("/some/route") == (200, "<html>the page</html>", "no-cache")
    assert await get("/assets/app-1.js") == (200, "run()", "public, max-age=31536000, immutable")
    for path in ("/assets/gone.js", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/api/nothing", "/a%00b.js"):
        assert (await get(path))[0] == 404, path
    async with server.http.get(base) as response:
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_without_a_page_it_says_how_to_build_it(server: ChatServer) -> None:
    """A server without the page built says which command builds it."""
    async with server.http.get(f"http://127.0.0.1:{server.port}/") as response:
        assert "make dev" in await response.text()


async def test_a_file_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    """Its messages are what they were: somebody's words."""
    db = connect(tmp_path / "chat.db")
    db.execute("INSERT INTO conversations VALUES ('c', NULL, 'now')")
    db.execute("ALTER TABLE messages DROP COLUMN kind")
    db.execute(
        "INSERT INTO messages VALUES ('c', 1, 'm', 'user', 'hello', 'chat', 0, NULL, 'now', 'ana', NULL, 'text_msg', 0)"
    )
    db.execute("PRAGMA user_version = 1")
    db.close()
    store = ChatStore(tmp_path / "chat.db")
    await store.open()
    assert [(m.text, m.kind) for m in await store.messages_after("c", 0, 10)] == [("hello", Kind.SPEECH)]
    await store.close()


async def test_a_damaged_or_newer_file_is_named(tmp_path: Path) -> None:
    """A file that is no database, or from a newer version, keeps the server from starting with a clear error."""
    (tmp_path / "chat.db").write_bytes(b"not a database at all" * 100)
    app = create_chat_app(load_settings({"DATA_DIR": str(tmp_path)}, env_file=None), SECRETS, page_dir=None)
    app.freeze()
    with pytest.raises(StoreError, match=r"chat\.db"):
        await app.startup()
    newer = connect(tmp_path / "newer.db")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    store = ChatStore(tmp_path / "newer.db")
    with pytest.raises(StoreError, match="version 99"):
        await store.open()
