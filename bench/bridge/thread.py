"""The bridge without a room: how soon a turn is at another chat client, and how many go through in a second."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from agent.chat.dialect import GuideDialect
from agent.chat.endpoint import ChatEndpoint
from agent.dev.chat.credentials import agent_token
from agent.dev.ports import LOOPBACK, PortWish, claim_ports
from agent.dev.secrets import load_dev_secrets
from agent.journal import SqliteJournal
from agent.turns import Channel, Speaker, Turn
from bench.bridge.watcher import Watcher
from tests.chat_server.server_process import server_process
from tests.support.spoken_call import SpokenCall

CONVERSATION = "bench"
# A pause between two turns, by chance up to this many seconds, so that they meet no rhythm of the machine.
PAUSE_S = 0.03


@dataclass(frozen=True)
class BridgeUnderTest:
    """A call's conversation, journal and bridge, and somebody else in its thread."""

    call: SpokenCall
    watcher: Watcher


@asynccontextmanager
async def bridge_under_test(folder: Path) -> AsyncIterator[BridgeUnderTest]:
    """The embedded chat server in a process of its own, the worker's parts and the watcher in this one.

    Args:
        folder: where the journal and the chat's data are; its disk is part of what is measured.
    """
    (port,) = claim_ports([PortWish(0, "the chat", "PAGE_PORT")])
    token = agent_token(load_dev_secrets(folder))
    endpoint = ChatEndpoint(f"ws://{LOOPBACK}:{port}/ws/v1/", CONVERSATION, "", SecretStr(token), "agent")
    async with AsyncExitStack() as exits:
        server = await exits.enter_async_context(server_process(folder, port))
        journal = exits.enter_context(SqliteJournal(folder / "journal.db"))
        watcher = await exits.enter_async_context(Watcher.watching(server.chat(CONVERSATION)))
        call = SpokenCall(journal, "call", endpoint, GuideDialect())
        await call.start()
        exits.push_async_callback(call.stop)
        await call.until(lambda: call.read is not None)
        yield BridgeUnderTest(call, watcher)


async def time_turns(bridge: BridgeUnderTest, count: int, progress: Callable[[], None]) -> list[float]:
    """Milliseconds from the moment at which a turn is final (`Conversation.add`) to that at which the other client
    has it, turn by turn; the disk of journal and chat is waited for in between.
    """
    dice, times = random.Random(1), []
    for number in range(count):
        turn = _turn(f"timed {number}", number)
        began = time.perf_counter()
        bridge.call.say(turn)
        times.append((await bridge.watcher.until(turn.text) - began) * 1000)
        progress()
        await asyncio.sleep(dice.uniform(0.0, PAUSE_S))
    return times


async def turns_per_second(bridge: BridgeUnderTest, count: int) -> float:
    """How many turns a second go from `Conversation.add` to the other client when all come at once."""
    turns = [_turn(f"at once {number}", number) for number in range(count)]
    began = time.perf_counter()
    bridge.call.say(*turns)
    ended = await bridge.watcher.until(turns[-1].text, timeout=600.0)
    assert all(turn.text in bridge.watcher.seen for turn in turns)
    return count / (ended - began)


def _turn(text: str, number: int) -> Turn:
    speaker = (Speaker.USER, Speaker.ASSISTANT)[number % 2]
    now = time.time()
    return Turn(f"turn-{text.replace(' ', '-')}", CONVERSATION, speaker, Channel.VOICE, text, now, now)
