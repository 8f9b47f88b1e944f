"""Processes that are killed, and what of their turns reaches the thread: all of it, once and in order."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.dev.chat.credentials import agent_token
from agent.dev.ports import LOOPBACK, PortWish, claim_ports
from agent.dev.secrets import load_dev_secrets
from agent.journal import Journal
from agent.journal.opening import open_for_call
from agent.turns import Turn
from tests.bridge.conftest import DialectName, make_turns
from tests.chat_server.server_process import ServerProcess, server_process
from tests.support.job_process import JobConfig, JobProcess
from tests.support.leftovers_process import LeftoversProcess
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.timeout(180)

BOTH = pytest.mark.parametrize("dialect", ["guide", "unpod"])
FAULTS = "/api/dev/faults"


@dataclass
class Host:
    """A chat server, a bad line to it, and a host on whose disk the journal is."""

    server: ServerProcess
    proxy: TcpProxy
    data_dir: Path
    token: str = field(repr=False)
    journal: Journal

    @property
    def chat(self) -> str:
        """The base of the chat API, over the line."""
        return f"ws://{LOOPBACK}:{self.proxy.port}/ws/v1/"

    def job(self, call_id: str, dialect: DialectName = "guide", attempts: int = 1000) -> JobConfig:
        """A call of the conversation."""
        return JobConfig(str(self.data_dir), self.chat, self.token, "c1", call_id, dialect, 0.05, 0.5, attempts)

    async def messages(self) -> list[dict[str, Any]]:
        """What stands in the thread; nothing while nobody has opened it."""
        url = f"http://{LOOPBACK}:{self.server.port}/ws/v1/conversation/c1/messages/"
        query = {"session_user": "visitor-1", "limit": "500"}
        async with aiohttp.ClientSession() as http, http.get(url, params=query) as response:
            results: list[dict[str, Any]] = (await response.json())["results"] if response.status == 200 else []
            return results

    async def thread(self) -> list[str]:
        """The ids of what stands in the thread."""
        return [message["id"] for message in await self.messages()]

    async def until_thread(self, turns: list[Turn], timeout: float = 30.0) -> float:
        """Wait until the thread holds this much; returns when that was (monotonic)."""
        async with asyncio.timeout(timeout):
            while len(await self.thread()) < len(turns):
                await asyncio.sleep(0.05)
        return time.monotonic()

    async def until_durable(self, turns: list[Turn], call_id: str) -> None:
        """Wait until the journal holds the turns of a call."""
        async with asyncio.timeout(30):
            while len(await self.journal.entries_of_call(call_id)) < len(turns):
                await asyncio.sleep(0.02)

    async def go_wrong(self, *faults: dict[str, Any]) -> None:
        """Switch to these faults."""
        await self.server.ask("PUT", FAULTS, json={"faults": faults})


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    (port,) = claim_ports([PortWish(0, "the chat", "PAGE_PORT")])
    chat_dir, data_dir = tmp_path / "chat", tmp_path / "host"
    token = agent_token(load_dev_secrets(chat_dir))
    async with server_process(chat_dir, port, CHAT_FAULTS="1") as server, TcpProxy(port) as proxy:
        with open_for_call(data_dir) as journal:
            yield Host(server, proxy, data_dir, token, journal)


@BOTH
async def test_the_rest_of_a_killed_call_is_delivered_within_5_seconds(host: Host, dialect: DialectName) -> None:
    """Some of its turns had arrived, one was stored without our knowing, the others waited."""
    turns = make_turns(9)
    async with (
        LeftoversProcess.started(host.data_dir, host.chat, host.token, dialect),
        JobProcess.started(host.job("call_1", dialect)) as job,
    ):
        await job.say(turns[:3])
        await job.until(lambda: len(job.delivered) == 3)
        host.proxy.refuse()
        host.proxy.reset_after_bytes(0)
        await job.say(turns[3:])
        await host.until_durable(turns, "call_1")
        await job.kill()
        killed_at = time.monotonic()
        host.proxy.resume()
        assert await host.until_thread(turns) - killed_at < 5.0
        await until_marked(host)
    assert await host.thread() == [turn.id for turn in turns]


async def until_marked(host: Host) -> None:
    """Wait until nothing is undelivered in the journal."""
    async with asyncio.timeout(30):
        while await host.journal.conversations_pending():
            await asyncio.sleep(0.05)


@BOTH
async def test_a_turn_that_a_killed_call_had_sent_without_knowing_is_not_sent_again(
    host: Host, dialect: DialectName
) -> None:
    """The server stored it, its echo was lost with the connection, and then the process was killed; ids are ignored."""
    turns = make_turns(4)
    async with JobProcess.started(host.job("call_1", dialect)) as job:
        await job.say(turns[:2])
        await job.until(lambda: len(job.delivered) == 2)
        await host.go_wrong({"kind": "drop_after_storing", "who": "agent", "times": 1})
        host.proxy.refuse()  # no new link: it never learns of it
        await job.say(turns[2:3])
        await host.until_thread(turns[:3])
        await job.say(turns[3:])
        await host.until_durable(turns, "call_1")
        await job.kill()
    await host.go_wrong()
    host.proxy.resume()
    async with LeftoversProcess.started(host.data_dir, host.chat, host.token, dialect):
        await host.until_thread(turns)
        await until_marked(host)
    assert await host.thread() == [turn.id for turn in turns]


async def test_a_killed_calls_last_turn_is_sent_again_rather_than_lost_where_ids_are_ignored(host: Host) -> None:
    """A guide server with ids of its own: a turn that was stored without our knowing looks like an earlier one."""
    turns = make_turns(3)
    await host.go_wrong({"kind": "ids_ignored"}, {"kind": "drop_after_storing", "who": "agent", "skip": 2, "times": 1})
    async with JobProcess.started(host.job("call_1")) as job:
        await job.say(turns[:2])
        await job.until(lambda: len(job.delivered) == 2)
        host.proxy.refuse()
        await job.say(turns[2:])
        await host.until_thread(turns)
        await job.kill()
    host.proxy.resume()
    async with LeftoversProcess.started(host.data_dir, host.chat, host.token):
        await until_marked(host)
    texts = [message["text"] for message in await host.messages()]
    assert texts == [turns[0].text, turns[1].text, turns[2].text, turns[2].text]


@BOTH
async def test_a_killed_worker_delivers_when_it_is_started_again(host: Host, dialect: DialectName) -> None:
    """It is killed while it delivers; what it had sent is not sent again."""
    turns = make_turns(120)
    host.proxy.refuse()
    async with JobProcess.started(host.job("call_1", dialect)) as job:
        await job.say(turns)
        await host.until_durable(turns, "call_1")
        await job.kill()
    host.proxy.resume()
    host.proxy.slow(20_000)  # so that it is killed in the middle
    async with LeftoversProcess.started(host.data_dir, host.chat, host.token, dialect):
        await host.until_thread(turns[:10])
    assert len(await host.thread()) < len(turns)
    host.proxy.resume()
    async with LeftoversProcess.started(host.data_dir, host.chat, host.token, dialect):
        await host.until_thread(turns)
        await until_marked(host)
    assert await host.thread() == [turn.id for turn in turns]


async def test_a_call_that_gave_the_chat_up_is_delivered_while_it_goes_on(host: Host) -> None:
    """Its attempts are used up: the worker takes over, also what is said from then on."""
    turns = make_turns(6)
    host.proxy.refuse()
    async with JobProcess.started(host.job("call_1", attempts=2)) as job:
        await job.say(turns[:3])
        await job.until(lambda: job.lost)
        host.proxy.resume()
        async with LeftoversProcess.started(host.data_dir, host.chat, host.token):
            await host.until_thread(turns[:3])
            await job.say(turns[3:])
            await host.until_thread(turns)
            await job.end()
            await until_marked(host)
    assert await host.thread() == [turn.id for turn in turns]


async def test_the_next_call_comes_after_what_the_worker_is_delivering(host: Host) -> None:
    """Its turns stand after those of the call before it, although it could have sent them first."""
    turns = make_turns(60)
    host.proxy.refuse()
    async with JobProcess.started(host.job("call_1")) as job:
        await job.say(turns[:50])
        await host.until_durable(turns[:50], "call_1")
        await job.kill()
    host.proxy.resume()
    await host.go_wrong({"kind": "drop_before_storing", "who": "agent", "skip": 5})
    async with LeftoversProcess.started(host.data_dir, host.chat, host.token):
        await host.until_thread(turns[:5])
        async with JobProcess.started(host.job("call_2")) as job:
            await job.say(turns[50:])
            await host.until_durable(turns[50:], "call_2")
            assert len(await host.thread()) == 5
            await host.go_wrong()
            await job.until(lambda: turns[-1].id in job.delivered)
            await job.end()
    assert await host.thread() == [turn.id for turn in turns]


async def test_the_next_call_brings_what_the_last_one_left(host: Host) -> None:
    """No worker is there: the call carries both, in order, and knows them from its own."""
    turns = make_turns(8)
    host.proxy.refuse()
    async with JobProcess.started(host.job("call_1")) as job:
        await job.say(turns[:5])
        await host.until_durable(turns[:5], "call_1")
        await job.kill()
    async with JobProcess.started(host.job("call_2")) as job:
        await job.say(turns[5:])
        host.proxy.resume()
        await job.until(lambda: len(job.delivered) == len(turns))
        await job.end()
    assert await host.thread() == [turn.id for turn in turns]
    assert await host.journal.conversations_pending() == []


async def test_two_calls_of_one_conversation_each_bring_their_own(host: Host) -> None:
    """Nothing of a living call is taken for something left: not by the other call, and not by the worker."""
    await host.go_wrong({"kind": "ids_ignored"})
    turns = make_turns(40, "turn {}".format)
    async with (
        LeftoversProcess.started(host.data_dir, host.chat, host.token, "unpod"),
        JobProcess.started(host.job("call_1", "unpod")) as one,
        JobProcess.started(host.job("call_2", "unpod")) as two,
    ):
        host.proxy.delay(0.3)  # so that the worker looks while they are on their way
        for number in range(0, 40, 2):
            await one.say(turns[number : number + 1])
            await two.say(turns[number + 1 : number + 2])
            await asyncio.sleep(0.1)
        await one.until(lambda: len(one.delivered) == 20)
        await two.until(lambda: len(two.delivered) == 20)
        await one.end()
        await two.end()
    texts = [message["text"] for message in await host.messages()]
    assert sorted(texts) == sorted(turn.text for turn in turns)
    assert [text for text in texts if int(text.split()[1]) % 2 == 0] == [turn.text for turn in turns[::2]]


async def test_what_a_killed_call_left_comes_after_the_turns_of_the_call_before_it(host: Host) -> None:
    """That one still waits for what an even earlier call left, when the next call is begun and killed."""
    turns = make_turns(9)
    host.proxy.refuse()
    async with JobProcess.started(host.job("call_1")) as one:
        await one.say(turns[:3])
        await host.until_durable(turns[:3], "call_1")
        await one.kill()
    assert await host.journal.claim("c1") is not None  # as a worker that is at it for long
    async with JobProcess.started(host.job("call_2")) as two, JobProcess.started(host.job("call_3")) as three:
        await two.say(turns[3:6])
        await host.until_durable(turns[3:6], "call_2")
        await three.say(turns[6:])
        await host.until_durable(turns[6:], "call_3")
        await three.kill()
        host.proxy.resume()
        await host.journal.release("c1")
        async with LeftoversProcess.started(host.data_dir, host.chat, host.token):
            await host.until_thread(turns)
            await two.end()
            await until_marked(host)
    assert await host.thread() == [turn.id for turn in turns]


async def test_a_turn_that_the_server_refuses_is_not_tried_without_end(host: Host) -> None:
    """The worker leaves it alone for a while instead of connecting every second, and delivers the others."""
    turns = make_turns(3, lambda n: "x" * 100_001 if n == 1 else f"turn {n}")
    host.proxy.refuse()
    async with JobProcess.started(host.job("call_1")) as job:
        await job.say(turns)
        await host.until_durable(turns, "call_1")
        await job.kill()
    host.proxy.resume()
    before = host.proxy.accepted
    async with LeftoversProcess.started(host.data_dir, host.chat, host.token):
        await host.until_thread([turns[0], turns[2]])
        await asyncio.sleep(5.0)
    assert host.proxy.accepted - before <= 2 * 3  # a link and a history for each attempt, after 2 and 4 s
    assert await host.thread() == [turns[0].id, turns[2].id]
    assert [turn.id for turn in await host.journal.pending("c1")] == [turns[1].id]


async def test_a_turn_that_the_server_refuses_holds_up_no_other_call(host: Host) -> None:
    """The call that has it lives on; the next one brings its own turns all the same."""
    turns = make_turns(3, lambda n: "x" * 100_001 if n == 1 else f"turn {n}")
    async with JobProcess.started(host.job("call_1")) as one:
        await one.say(turns[:2])
        await host.until_durable(turns[:2], "call_1")
        async with JobProcess.started(host.job("call_2")) as two:
            await two.say(turns[2:])
            await two.until(lambda: turns[2].id in two.delivered)
            await two.end()
        await one.end()
    assert await host.thread() == [turns[0].id, turns[2].id]


async def test_one_conversation_that_hangs_holds_up_no_other(host: Host) -> None:
    """The worker's links to one conversation are deaf; what another call left arrives all the same."""
    deaf = [make_turns(1, conversation=f"deaf_{n}")[0] for n in range(6)]
    turns = make_turns(3)
    for turn in [*deaf, *turns]:
        await host.journal.append(turn)
    faults = [{"kind": "deaf", "when": "connect", "conversation": turn.conversation_id} for turn in deaf]
    drops = [{"kind": "drop_before_storing", "conversation": turn.conversation_id} for turn in deaf]
    await host.go_wrong(*faults, *drops)
    began = time.monotonic()
    async with LeftoversProcess.started(host.data_dir, host.chat, host.token):
        assert await host.until_thread(turns) - began < 10
