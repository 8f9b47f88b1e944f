"""The worker's delivery of what calls left, in one process with the embedded server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from agent.dev.chat.credentials import user_token
from agent.job import Job, JobUser
from agent.settings import Settings, load_settings
from agent.worker.delivery import LeftoverDelivery
from tests.bridge.conftest import Chat, make_turns
from tests.chat_server.conftest import SECRETS
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.timeout(120)


def nobody(conversation: str) -> Job | None:
    """The worker remembers no job."""
    return None


@asynccontextmanager
async def delivering(
    chat: Chat, settings: Settings, job_of: Callable[[str], Job | None] = nobody
) -> AsyncIterator[None]:
    """The delivery runs until the end of the block."""
    running = asyncio.create_task(LeftoverDelivery(settings, chat.journal, job_of).run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def settings_for(port: int, token: str = "") -> Settings:
    given = {"CHAT_API_URL": f"ws://127.0.0.1:{port}/ws/v1/", "CHAT_TOKEN": token}
    return load_settings(given, env_file=None)


async def until_nothing_is_left(chat: Chat) -> None:
    async with asyncio.timeout(60):
        while await chat.journal.conversations_pending():
            await asyncio.sleep(0.05)


async def test_what_a_call_of_a_signed_in_user_left_is_delivered_with_their_token(chat: Chat) -> None:
    """The worker has no token of its own; what the assistant said arrives, too, and the thread is its own again."""
    token = user_token(SECRETS, "ana")
    turns = make_turns(4)
    for turn in turns:
        await chat.journal.append(turn)
    job = Job(conversation_id="c1", user=JobUser(id="ana", token=SecretStr(token)))
    async with delivering(chat, settings_for(chat.server.port), lambda conversation: job):
        await until_nothing_is_left(chat)
    path = "/ws/v1/conversation/c1/messages/"
    thread = (await chat.server.get(path, token=token))["results"]
    assert [(m["id"], m["role"]) for m in thread] == [(turn.id, turn.speaker) for turn in turns]


async def test_when_the_chat_is_there_again_all_that_waits_is_delivered_at_once(chat: Chat) -> None:
    """However long each conversation has been tried in vain: the first success wakes the others."""
    turns = [make_turns(1, conversation=f"c{n}")[0] for n in range(30)]
    for turn in turns:
        await chat.journal.append(turn)
    async with TcpProxy(chat.server.port) as proxy:
        proxy.refuse()
        async with delivering(chat, settings_for(proxy.port)):
            async with asyncio.timeout(60):
                while proxy.faults["refused"] < 100:
                    await asyncio.sleep(0.1)
            proxy.resume()
            await until_nothing_is_left(chat)


async def test_a_token_that_is_refused_is_not_tried_every_second(chat: Chat) -> None:
    """The turns wait in the journal, and the log says what to check."""
    await chat.journal.append(make_turns(1)[0])
    async with TcpProxy(chat.server.port) as proxy:
        async with delivering(chat, settings_for(proxy.port, "nonsense")):
            await asyncio.sleep(5.0)
        assert proxy.accepted <= 3
    assert await chat.journal.conversations_pending() == ["c1"]
