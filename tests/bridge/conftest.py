"""The embedded chat server with its faults, and calls that bring their turns to it, all in one process."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from websockets.asyncio.client import connect

from agent.chat.bridge import Role
from agent.chat.dialect import dialect_named
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import MAX_FRAME_BYTES
from agent.dev.chat.app import create_chat_app
from agent.dev.chat.credentials import agent_token
from agent.dev.chat.fault_switch import Faults
from agent.journal import SqliteJournal
from agent.settings import load_settings
from agent.turns import Channel, Speaker, Turn
from agent.websocket import Options
from tests.chat_server.conftest import SECRETS, ChatServer
from tests.chat_server.model_server import ModelServer, start_model_server
from tests.chat_server.plain_client import Frame, PlainClient
from tests.support.spoken_call import SpokenCall

DialectName = Literal["guide", "unpod"]
# As the real ones but for the pauses: a test is about what happens, not about how long it is waited for.
QUICK = Options(max_size=MAX_FRAME_BYTES, reconnect_interval=0.05, reconnect_attempts=100)

_numbers = itertools.count(1)


@dataclass
class Chat:
    """The chat server, the worker's journal, and calls."""

    server: ChatServer
    journal: SqliteJournal
    exits: AsyncExitStack

    async def call(
        self,
        dialect: DialectName,
        conversation: str = "c1",
        *,
        role: Role = Role.ANSWERS,
        options: Options = QUICK,
        app_type: str = "",
        port: int | None = None,
    ) -> SpokenCall:
        """A call of a conversation, begun; `port` is a proxy's."""
        base = f"ws://127.0.0.1:{port or self.server.port}/ws/v1/"
        endpoint = ChatEndpoint(base, conversation, app_type, SecretStr(agent_token(SECRETS)), "agent")
        name = f"call_{next(_numbers)}"
        call = SpokenCall(self.journal, name, endpoint, dialect_named(dialect), role=role, options=options)
        await call.start()
        self.exits.push_async_callback(call.stop)
        return call

    async def page(self, conversation: str = "c1") -> PlainClient:
        """Somebody who types on the page; what is shown to them waits until it is read, however much it is."""
        url = self.server.url(conversation, session_user="visitor-1", app_type="test")
        client = PlainClient(await connect(url, max_queue=None, ping_interval=None))
        self.server.clients.append(client)
        return client

    async def messages(self, conversation: str = "c1", after: int = 0) -> list[Frame]:
        """What stands in the thread after a place, in its order (500 at most)."""
        path = f"/ws/v1/conversation/{conversation}/messages/"
        query = {"session_user": "visitor-1", "after": str(after), "limit": "500"}
        results: list[Frame] = (await self.server.get(path, **query))["results"]
        return results

    async def thread(self, conversation: str = "c1") -> list[str]:
        """The ids of all that stands in the thread."""
        return [message["id"] for message in await self.messages(conversation)]

    async def texts(self, conversation: str = "c1", after: int = 0) -> list[str]:
        """The words of all that stands in the thread after a place."""
        return [message["text"] for message in await self.messages(conversation, after)]


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with AsyncExitStack() as exits:
        http = await exits.enter_async_context(aiohttp.ClientSession())
        model = await start_model_server(ModelServer())
        exits.push_async_callback(model.cleanup)
        port = model.addresses[0][1]
        given = {"DATA_DIR": str(tmp_path / "data"), "LOCAL_BASE_URL": f"http://127.0.0.1:{port}/v1"}
        settings, faults = load_settings(given, env_file=None), Faults()
        app = create_chat_app(settings, SECRETS, page_dir=None, faults=faults)
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        exits.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server = ChatServer(settings, runner.addresses[0][1], http, faults)
        journal = exits.enter_context(SqliteJournal(tmp_path / "journal.db"))
        chat = Chat(server, journal, exits)
        yield chat
        await asyncio.gather(*(client.close() for client in server.clients))


def make_turns(count: int, say: Callable[[int], str] = "turn {}".format, conversation: str = "c1") -> list[Turn]:
    """What user and assistant say in turn, aloud."""
    speakers = (Speaker.USER, Speaker.ASSISTANT)
    now = time.time()
    return [
        Turn(f"turn_{next(_numbers)}", conversation, speakers[n % 2], Channel.VOICE, say(n), now + n, now + n + 0.5)
        for n in range(count)
    ]
