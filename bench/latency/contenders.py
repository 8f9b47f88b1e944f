"""Who is compared: this agent, a stock livekit-agents worker, a pipecat bot. Each runs in processes of its own."""

import json
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from livekit import api

from agent.dev.ports import LOOPBACK
from agent.settings import load_settings
from bench.latency.ear import Ear, listening
from bench.latency.servers import Answers, AtOnce, LiveKit, Says, environment, free_port, running
from bench.latency.stages import StageSource, from_journal, from_lines, nothing
from bench.latency.turn import HeardTurn

_HERE = Path(__file__).parent
# Who calls, in every room.
CALLER = "caller"


class Contender(Protocol):
    """Somebody who can be called."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def call(self, livekit: LiveKit) -> AbstractAsyncContextManager[Ear]:
        """A new call in a room of its own."""
        ...

    async def with_stages(self, turns: Sequence[HeardTurn]) -> list[HeardTurn]:
        """The same turns with what the contender's own library measured, as far as it says."""
        ...


@dataclass(frozen=True)
class Worker:
    """A worker that LiveKit gives jobs to; `pid` is that of its main process."""

    name: str
    agent_name: str
    conversation: str
    stages: StageSource
    pid: int
    calls_per_process: int = 1

    @asynccontextmanager
    async def call(self, livekit: LiveKit) -> AsyncIterator[Ear]:
        """See `Contender`."""
        metadata = json.dumps({"conversation_id": self.conversation})
        dispatch = api.RoomAgentDispatch(agent_name=self.agent_name, metadata=metadata)
        token = _token(livekit, _room(), CALLER).with_room_config(api.RoomConfiguration(agents=[dispatch]))
        async with listening(self.name, livekit.url, token.to_jwt()) as ear:
            await ear.until_greeted()
            yield ear

    async def with_stages(self, turns: Sequence[HeardTurn]) -> list[HeardTurn]:
        """See `Contender`."""
        return await self.stages(turns)


@dataclass(frozen=True)
class PipecatBot:
    """A bot that joins a room by itself, in a process for each call."""

    name: str
    python: Path
    models_url: str
    folder: Path

    @asynccontextmanager
    async def call(self, livekit: LiveKit) -> AsyncIterator[Ear]:
        """See `Contender`."""
        room = _room()
        told = {"LIVEKIT_URL": livekit.url, "ROOM": room, "MODELS_BASE_URL": self.models_url}
        told["LIVEKIT_TOKEN"] = _token(livekit, room, "pipecat").to_jwt()
        command = [str(self.python), str(_HERE / "pipecat_bot.py")]
        caller = _token(livekit, room, CALLER).to_jwt()
        async with (
            running(self.name, command, environment(told), self.folder, lambda _: AtOnce()),
            listening(self.name, livekit.url, caller) as ear,
        ):
            await ear.until_greeted()
            yield ear

    async def with_stages(self, turns: Sequence[HeardTurn]) -> list[HeardTurn]:
        """See `Contender`."""
        return await nothing(turns)


@asynccontextmanager
async def ours(
    livekit: LiveKit, models_url: str, folder: Path, told: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Worker]:
    """This agent as it runs in production (`python -m agent start`), without a chat; `told` is in its environment."""
    data = folder / "ours-data"
    port, name, conversation = free_port("the worker's health check"), f"ours-{secrets.token_hex(3)}", "bench"
    env = environment(
        {
            **livekit.environment(),
            "AGENT_NAME": name,
            "STT_MODELS": "local/moonshine-tiny-en",
            "LLM_MODELS": "local/responder",
            "TTS_MODELS": "local/hibari",
            "LOCAL_BASE_URL": models_url,
            "LOCAL_API_KEY": "local",
            "DATA_DIR": str(data),
            "WORKER_PORT": str(port),
            "WORKER_MAX_LOAD": "inf",
            "DRAIN_SECONDS": "0",
            **told,
        }
    )
    data.mkdir()
    ready = Answers(f"http://{LOOPBACK}:{port}/readyz")
    async with running("ours", [sys.executable, "-m", "agent", "start"], env, folder, lambda _: ready) as program:
        places = load_settings(env).worker_calls_per_process
        yield Worker("ours", name, conversation, from_journal(data, conversation), program.process.pid, places)


@asynccontextmanager
async def stock(
    livekit: LiveKit,
    models_url: str,
    folder: Path,
    greeting: str = "",
    told: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Worker]:
    """A stock livekit-agents worker (see stock_worker.py); it greets where it has a greeting."""
    metrics, name = folder / "stock-metrics.jsonl", f"stock-{secrets.token_hex(3)}"
    metrics.touch()
    its = {"AGENT_NAME": name, "MODELS_BASE_URL": models_url, "METRICS_FILE": str(metrics), "GREETING": greeting}
    command = [sys.executable, "-m", "bench.latency.stock_worker", "start"]
    env = environment({**livekit.environment(), **its, **told})
    async with running("stock", command, env, folder, lambda program: Says(program, "registered worker")) as program:
        yield Worker("stock", name, "bench", from_lines(metrics), program.process.pid)


def _room() -> str:
    return f"bench-{secrets.token_hex(6)}"


def _token(livekit: LiveKit, room: str, identity: str) -> api.AccessToken:
    grants = api.VideoGrants(room_join=True, room=room)
    return api.AccessToken(livekit.api_key, livekit.api_secret).with_identity(identity).with_grants(grants)
