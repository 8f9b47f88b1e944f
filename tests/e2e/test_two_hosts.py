"""Two LiveKit nodes and two workers on one Redis: what one host loses, the other goes on with."""

import asyncio
import logging
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from livekit import rtc

from agent.leases import Holder
from agent.phrases import Phrase, say
from tests.support.caller import Caller, call
from tests.support.cluster import Host, two_hosts
from tests.support.redis_server import PASSWORD, RedisServer, running_redis
from tests.support.secrecy import assert_keeps_secrets
from tests.support.stack import RunningStack, running_stack

# A stack, two LiveKit nodes and two workers have to start first.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

logger = logging.getLogger("tests.two_hosts")

SORRY = say(Phrase.CUT_OFF, "en")
MOST_CALLS = 10
HANGING_S = 150.0  # on a machine with nothing else to do all of it takes seconds


@dataclass(frozen=True)
class Call:
    """A call whose agent has greeted."""

    conversation: str
    caller: Caller


@dataclass(frozen=True)
class Cluster:
    """What the tests talk to."""

    stack: RunningStack
    redis: RedisServer
    hosts: tuple[Host, Host]

    def holder(self, conversation: str) -> Holder | None:
        """Who holds the room of a conversation."""
        with self.redis.client() as client:
            for key in client.keys("{voice-agent}:lease:*"):
                lease = client.hgetall(key)
                if lease["conversation"] == conversation:
                    return Holder.parse(lease["holder"])
        return None

    def host_of(self, conversation: str) -> Host | None:
        """Whose worker holds the room of a conversation: each job's process is in the group of its worker."""
        holder = self.holder(conversation)
        if holder is None:
            return None
        groups = {host.worker.process.pid: host for host in self.hosts}
        return groups.get(os.getpgid(holder.process.pid))

    def is_on_one_host(self, one: Call) -> bool:
        """Whether a call's agent and its room are on the same host."""
        host = self.host_of(one.conversation)
        return host is not None and host.node.has(one.caller.room.name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    async with running_stack(tmp_path_factory.mktemp("stack"), {"DRAIN_SECONDS": "0"}) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def cluster(stack: RunningStack, tmp_path: Path) -> AsyncIterator[Cluster]:
    """Two hosts for one test, which kills something of them."""
    with running_redis(tmp_path / "redis") as redis:
        async with two_hosts(stack, redis, tmp_path) as hosts:
            yield Cluster(stack, redis, hosts)
            for host in hosts:
                assert_keeps_secrets(host.worker.log(), (PASSWORD,))


async def one_call(cluster: Cluster, exits: AsyncExitStack, number: int) -> Call:
    """A call over one of the nodes."""
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    url, token = cluster.hosts[number % 2].worker.joined(conversation)
    caller = await exits.enter_async_context(call(url, token))
    await caller.until_agent_speaks(0.0, timeout=HANGING_S)
    await cluster.stack.until_thread(conversation, 1, timeout=HANGING_S)
    return Call(conversation, caller)


async def call_where(cluster: Cluster, exits: AsyncExitStack, wanted: Callable[[Call], bool]) -> Call:
    """A call that LiveKit happened to place as is wanted."""
    for _ in range(MOST_CALLS):
        if wanted(one := await one_call(cluster, exits, 0)):
            return one
    raise AssertionError("LiveKit placed no call as is wanted")


async def one_call_on_each(cluster: Cluster, exits: AsyncExitStack) -> dict[int, Call]:
    """Calls, over both nodes in turn, until each worker has one; by the worker's process."""
    found: dict[int, Call] = {}
    for number in range(MOST_CALLS):
        one = await one_call(cluster, exits, number)
        host = cluster.host_of(one.conversation)
        assert host is not None
        found.setdefault(host.worker.process.pid, one)
        if len(found) == 2:
            return found
    raise AssertionError("LiveKit gave all calls to one worker")


def agents(caller: Caller) -> list[str]:
    kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    return [p.identity for p in caller.room.remote_participants.values() if p.kind == kind]


def words(thread: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in thread]


async def ask(cluster: Cluster, on: Call, text: str, before: int) -> list[str]:
    """Type something; the thread once it is answered."""
    await on.caller.send_text(text)
    thread = await cluster.stack.until_thread(on.conversation, before + 2)
    assert len({message["id"] for message in thread}) == len(thread)
    return words(thread)


async def until_answered(cluster: Cluster, on: Call, text: str) -> list[str]:
    """Type something, and wait until it has an answer; the thread, in which all stands once."""
    await on.caller.send_text(text)
    async with asyncio.timeout(HANGING_S):
        while True:
            thread = await cluster.stack.thread(on.conversation)
            if text in words(thread)[:-1]:
                assert len({message["id"] for message in thread}) == len(thread)
                assert words(thread).count(text) == 1
                return words(thread)
            await asyncio.sleep(0.1)


async def test_what_a_killed_worker_had_the_other_goes_on_with(cluster: Cluster) -> None:
    """Worker and jobs die: somebody apologises and knows what was said; the other's call hears nothing of it."""
    async with AsyncExitStack() as exits:
        calls = await one_call_on_each(cluster, exits)
        dying, living = cluster.hosts
        cut, kept = calls[dying.worker.process.pid], calls[living.worker.process.pid]
        for one in (cut, kept):
            assert len(await ask(cluster, one, "My name is Ana.", 1)) == 3
            await one.caller.until_agent_is_silent()
        before = agents(cut.caller)
        dying.kill_worker()
        killed_at = time.monotonic()
        heard_after = await cut.caller.until_agent_speaks(killed_at + 0.5) - killed_at
        logger.info("somebody spoke again %.2f s after the kill", heard_after)
        assert words(await cluster.stack.until_thread(cut.conversation, 4))[3] == SORRY
        assert len(agents(cut.caller)) == 1
        assert agents(cut.caller) != before
        assert cluster.host_of(cut.conversation) is living
        for one, told in ((cut, 4), (kept, 3)):
            thread = await ask(cluster, one, "What is my name?", told)
            assert len(thread) == told + 2
            assert "Ana" in thread[-1]
            assert thread.count(SORRY) == (one is cut)


async def test_what_a_killed_node_had_another_one_goes_on_with(cluster: Cluster) -> None:
    """A livekit-server dies: person and agent meet again on the other one, where the agent knows what was said; who
    calls just then is answered, too."""
    async with AsyncExitStack() as exits:
        dying, living = (host.node for host in cluster.hosts)
        cut = await call_where(cluster, exits, lambda one: dying.has(one.caller.room.name))
        assert len(await ask(cluster, cut, "My name is Ana.", 1)) == 3
        back = asyncio.Event()
        cut.caller.room.on("reconnected", back.set)
        await dying.fail_over(living)
        killed_at = time.monotonic()
        await one_call(cluster, exits, 0)
        answered_after = time.monotonic() - killed_at
        async with asyncio.timeout(HANGING_S):
            await back.wait()
            while len(agents(cut.caller)) != 1:
                await asyncio.sleep(0.05)
        met_after = time.monotonic() - killed_at
        logger.info(
            "met again after %.2f s at the latest; the next call answered after %.2f s", met_after, answered_after
        )
        thread = await until_answered(cluster, cut, "What is my name?")
        assert "Ana" in thread[-1]
        assert thread.count(SORRY) <= 1  # none when the same agent is back
        assert living.has(cut.caller.room.name)
        assert len(agents(cut.caller)) == 1


async def test_what_a_host_had_that_died_as_a_whole_the_other_goes_on_with(cluster: Cluster) -> None:
    """Node, worker and job die at once: the person comes back to the other node, where another agent apologises."""
    async with AsyncExitStack() as exits:
        cut = await call_where(cluster, exits, cluster.is_on_one_host)
        dying = cluster.host_of(cut.conversation)
        assert dying is not None
        (living,) = (host for host in cluster.hosts if host is not dying)
        assert len(await ask(cluster, cut, "My name is Ana.", 1)) == 3
        before = agents(cut.caller)
        dying.kill_worker()
        await dying.node.fail_over(living.node)
        killed_at = time.monotonic()
        async with asyncio.timeout(HANGING_S):
            while SORRY not in words(await cluster.stack.thread(cut.conversation)):
                await asyncio.sleep(0.05)
        logger.info("said sorry %.2f s after the kill", time.monotonic() - killed_at)
        thread = await until_answered(cluster, cut, "What is my name?")
        assert "Ana" in thread[-1]
        assert thread.count(SORRY) == 1
        assert len(agents(cut.caller)) == 1
        assert agents(cut.caller) != before
        assert cluster.host_of(cut.conversation) is living
