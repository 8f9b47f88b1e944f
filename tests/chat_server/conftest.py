"""A real chat server on a free port, with a real (tiny) model behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from agent.dev.chat.app import create_chat_app
from agent.dev.chat.credentials import agent_token, user_token
from agent.dev.chat.fault_switch import Faults
from agent.dev.chat.faults import AnyFault, FaultPlan
from agent.dev.secrets import DevSecrets
from agent.settings import Settings, load_settings
from tests.chat_server.model_server import ModelServer, start_model_server
from tests.chat_server.plain_client import PlainClient, open_client

SECRETS = DevSecrets(livekit_api_key="APItest", livekit_api_secret="s" * 40, chat_jwt_secret="j" * 40)


@dataclass
class ChatServer:
    """A running server, and clients of it."""

    settings: Settings
    port: int
    http: aiohttp.ClientSession
    faults: Faults
    clients: list[PlainClient] = field(default_factory=list)

    def go_wrong(self, *faults: AnyFault, seed: int | None = None) -> None:
        """Switch to these faults, and no other."""
        self.faults.switch(FaultPlan(faults=faults, seed=seed))

    def url(self, conversation: str, **query: str) -> str:
        """The address of a conversation's WebSocket."""
        return f"ws://127.0.0.1:{self.port}/ws/v1/conversation/{conversation}/?{urlencode(query)}"

    async def open(self, conversation: str, headers: dict[str, str] | None = None, /, **query: str) -> PlainClient:
        """Connect a client to a conversation."""
        client = await open_client(self.url(conversation, **query), **(headers or {}))
        self.clients.append(client)
        return client

    async def visitor(self, conversation: str, session: str = "visitor-1") -> PlainClient:
        """A guide client of an anonymous visitor."""
        return await self.open(conversation, session_user=session, app_type="social")

    async def worker(self, conversation: str, *, attach: bool = True) -> PlainClient:
        """A worker with its own token."""
        client = await self.open(conversation, token=agent_token(SECRETS), app_type="social")
        if attach:
            await client.action("attach")
            await client.sync()
        return client

    async def unpod(self, conversation: str, user: str = "ana", **query: str) -> PlainClient:
        """An unpod client, with its token in the header."""
        return await self.open(conversation, {"Authorization": f"JWT {user_token(SECRETS, user)}"}, **query)

    async def get(self, path: str, status: int = 200, /, **query: str) -> Any:
        """The JSON that an address answers with."""
        async with self.http.get(f"http://127.0.0.1:{self.port}{path}", params=query) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def post(self, path: str, body: object, status: int = 200, /, **query: str) -> Any:
        """The JSON that an address answers a JSON body with."""
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.http.post(url, json=body, params=query) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def thread(self, conversation: str, session: str = "visitor-1") -> list[dict[str, Any]]:
        """The messages of a conversation as its visitor reads them."""
        path = f"/ws/v1/conversation/{conversation}/messages/"
        results: list[dict[str, Any]] = (await self.get(path, session_user=session))["results"]
        return results


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    model = ModelServer()
    runner = await start_model_server(model)
    yield model
    model.open_gate.set()
    await runner.cleanup()


@pytest.fixture
async def serve(model: ModelServer, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Starts servers on the same data folder; `stop` of each is also done at the end."""
    async with aiohttp.ClientSession() as http:
        runners: list[web.AppRunner] = []
        servers: list[ChatServer] = []

        async def start(env: dict[str, str] | None = None, **options: Any) -> tuple[ChatServer, web.AppRunner]:
            given = {"DATA_DIR": str(tmp_path / "data"), "LOCAL_BASE_URL": model.base_url, **(env or {})}
            settings = load_settings(given, env_file=None)
            options = {"page_dir": None, "grace_s": 0.1, "faults": Faults(), **options}
            runner = web.AppRunner(create_chat_app(settings, SECRETS, **options), shutdown_timeout=0.5)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            server = ChatServer(settings, runner.addresses[0][1], http, options["faults"])
            runners.append(runner)
            servers.append(server)
            return server, runner

        yield start
        await asyncio.gather(*(client.close() for server in servers for client in server.clients))
        for runner in runners:
            await runner.cleanup()


@pytest.fixture
async def server(serve: Callable[..., Any]) -> ChatServer:
    started: ChatServer = (await serve())[0]
    return started
