"""The server in a process of its own: what it keeps when it is killed, and faults that are switched over HTTP."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.chat_server.conftest import ChatServer
from tests.chat_server.plain_client import Frame, PlainClient, open_client
from tests.chat_server.server_process import ServerProcess, server_process

FAULTS = "/api/dev/faults"
VISITOR = {"session_user": "visitor-1"}


async def write_until_cut(client: PlainClient, name: str) -> list[Frame]:
    """Write message after message, each once the last was shown; all that this client was shown."""
    shown: list[Frame] = []
    try:
        for number in range(1_000_000):
            await client.action("append", message="Hello", id=f"{name}-{number}")
            while not shown or shown[-1]["id"] != f"{name}-{number}":
                shown.append(await client.message())
    except ConnectionClosed:
        return shown
    raise AssertionError("the server was not killed")


async def history(server: ServerProcess) -> list[Frame]:
    found: list[Frame] = []
    after: int | None = 0
    while after is not None:
        params = {**VISITOR, "after": str(after), "limit": "500"}
        page = await server.ask("GET", "/ws/v1/conversation/c1/messages/", params=params)
        found += page["results"]
        after = page["next"]
    return found


async def test_a_killed_server_keeps_what_it_has_shown(tmp_path: Path, unused_tcp_port: int) -> None:
    """After kill -9 in a burst every message that a client saw is there, in its place, once; owners and tokens too."""
    async with server_process(tmp_path, unused_tcp_port) as first:
        token = (await first.ask("POST", "/api/dev/login", json={"user": "ana"}))["token"]
        clients = [await open_client(first.chat("c1")) for _ in range(3)]
        writers = [asyncio.create_task(write_until_cut(client, f"w{n}")) for n, client in enumerate(clients)]
        watcher = await open_client(first.chat("c1"))
        await watcher.messages(100)
        await first.kill()
        shown = {message["seq"]: message for writer in writers for message in await writer}
        await watcher.closed()
        shown |= {f["payload"]["seq"]: f["payload"] for f in watcher.seen if f["event"] == "message"}
        assert [client.link.close_code for client in clients] == [1006] * 3
    async with server_process(tmp_path, unused_tcp_port) as second:
        kept = await history(second)
        assert [message["seq"] for message in kept] == list(range(1, len(kept) + 1))
        assert {seq: kept[seq - 1] for seq in shown} == shown
        assert len({message["id"] for message in kept}) == len(kept) >= 100
        again = await open_client(second.chat("c1"))
        await again.action("append", message="Hello", id=kept[-1]["id"])
        assert await again.message() == kept[-1]
        for stranger in (
            second.chat("c1", "eve"),
            second.chat("c1").replace("session_user=visitor-1", f"token={token}"),
        ):
            with pytest.raises(InvalidStatus) as refused:
                await open_client(stranger)
            assert refused.value.response.status_code == 403


async def test_faults_are_switched_over_http(tmp_path: Path, unused_tcp_port: int) -> None:
    """With CHAT_FAULTS=1 a plan is put and strikes, its counts are told, and a bad one is refused by name."""
    async with server_process(tmp_path, unused_tcp_port, CHAT_FAULTS="1") as server:
        nothing = await server.ask("GET", FAULTS)
        assert nothing == {"plan": {"faults": [], "seed": None}, "caused": {}}
        plan = {"seed": 1, "faults": [{"kind": "drop_after_storing", "who": "user", "times": 2}]}
        assert (await server.ask("PUT", FAULTS, json=plan))["plan"]["faults"][0]["times"] == 2
        for number in range(3):
            client = await open_client(server.chat("c1"))
            await client.action("append", message="Hello", id=f"m{number}")
            if number < 2:
                assert await client.closed() == 1006
            else:
                assert (await client.message())["seq"] == 3
        assert (await server.ask("GET", FAULTS))["caused"] == {"drop_after_storing": 2}
        for bad, named in (({"faults": [{"kind": "deaf", "tmies": 1}]}, "tmies"), ([], "plan"), ({"x": 1}, "x")):
            body = await server.ask("PUT", FAULTS, 400, json=bad)
            assert named in body["error"]["message"]
        await server.ask("PUT", FAULTS, 403, json=plan, headers={"Origin": "http://evil.example"})
        assert (await server.ask("GET", FAULTS))["plan"]["seed"] == 1


@pytest.mark.parametrize("value", [None, "", "0", "true"])
async def test_without_the_variable_there_is_no_switch(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """Unless CHAT_FAULTS is 1 the address does not exist, neither for reading nor for writing."""
    if value is None:
        monkeypatch.delenv("CHAT_FAULTS", raising=False)
    else:
        monkeypatch.setenv("CHAT_FAULTS", value)
    server: ChatServer = (await serve())[0]
    assert (await server.get(FAULTS, 404))["error"]["code"] == "not_found"
    url = f"http://127.0.0.1:{server.port}{FAULTS}"
    async with server.http.put(url, json={"faults": [{"kind": "deaf"}]}) as response:
        assert response.status == 405
    assert server.faults.plan.faults == ()
