"""What the state of the chat costs the voice: the same recording, told to the same stack, with the chat in each state.

The end of speech is the moment at which the last audible sample left the sender, the answer begins with the first
audible sample that arrives there, as a person would hear it (see `tests.support.caller`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rich.console import Console

from agent.dev.chat.credentials import agent_token
from agent.dev.ports import LOOPBACK, PortWish, claim_ports
from agent.dev.secrets import load_dev_secrets
from bench.interleave import interleaved
from tests.chat_server.server_process import ServerProcess, server_process
from tests.support.caller import Caller, call
from tests.support.flood import Flood, flooding
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack, running_stack
from tests.support.tcp_proxy import TcpProxy

RECORDING = "front_left"
MESSAGES_PER_SECOND = 200.0
SILENT_S = 1.2
# An answer that has not begun by then is missing.
PATIENCE_S = 10.0


class ChatState(StrEnum):
    """How the chat is while a call goes on."""

    HEALTHY = "healthy"
    DOWN = "down"
    FLOODED = "flooded"


@dataclass(frozen=True)
class VoiceTurn:
    """One spoken turn; `reply_ms` is None when no answer came in time."""

    state: ChatState
    reply_ms: float | None


@dataclass(frozen=True)
class _Setup:
    """A stack whose chat server is behind a line that can be cut."""

    stack: RunningStack
    server: ServerProcess
    proxy: TcpProxy


async def measure_voice(
    folder: Path, turns: int, rounds: int, seed: int, console: Console, progress: Callable[[], None]
) -> list[VoiceTurn]:
    """So many spoken turns in each state, divided into calls, the states in turn.

    Args:
        folder: where the data of the stack and of the chat are.
        turns: for each state.
        rounds: calls for each state.
        seed: chooses the order of the states.
        console: told what takes time.
        progress: told of each turn.
    """
    measured: list[VoiceTurn] = []
    each = max(1, round(turns / rounds))
    console.print("starting a stack of its own")
    async with _setup(folder) as setup:
        for number, state in enumerate(interleaved(list(ChatState), rounds, seed)):
            measured += await _call(setup, f"voice-{number}-{state}", state, each, progress)
    return measured


@asynccontextmanager
async def _setup(folder: Path) -> AsyncIterator[_Setup]:
    (port,) = claim_ports([PortWish(0, "the chat", "PAGE_PORT")])
    token = agent_token(load_dev_secrets(folder / "chat"))
    async with server_process(folder / "chat", port) as server, TcpProxy(port) as proxy:
        env = {"CHAT_API_URL": f"ws://{LOOPBACK}:{proxy.port}/ws/v1/", "CHAT_TOKEN": token}
        async with running_stack(folder / "stack", env) as stack:
            yield _Setup(stack, server, proxy)


async def _call(
    setup: _Setup, conversation: str, state: ChatState, turns: int, progress: Callable[[], None]
) -> list[VoiceTurn]:
    """One call in one state, from before its beginning to its end."""
    samples, rate = RECORDINGS[RECORDING].load()
    measured: list[VoiceTurn] = []
    flood: asyncio.subprocess.Process | None = None
    async with AsyncExitStack() as exits:
        if state is ChatState.DOWN:
            setup.proxy.refuse()
            setup.proxy.drop()
            exits.callback(setup.proxy.resume)
        elif state is ChatState.FLOODED:
            url = setup.server.chat(conversation, session="tester")
            flood = await exits.enter_async_context(flooding(Flood(url, MESSAGES_PER_SECOND)))
        given = await setup.stack.room_token(conversation)
        caller = await exits.enter_async_context(call(given["url"], given["token"]))
        await caller.until_agent_speaks(0.0, timeout=60.0)
        await caller.until_agent_is_silent(SILENT_S)
        for _ in range(turns):
            caller.heard.frames.clear()
            ended = await caller.say(samples, rate)
            measured.append(VoiceTurn(state, await _reply_ms(caller, ended)))
            await caller.until_agent_is_silent(SILENT_S)
            progress()
        if flood is not None and flood.returncode is not None:
            raise RuntimeError("the flood ended before the call did")
    return measured


async def _reply_ms(caller: Caller, ended: float) -> float | None:
    try:
        answered = await caller.until_agent_speaks(ended, PATIENCE_S)
    except TimeoutError:
        return None
    return (answered - ended) * 1000
