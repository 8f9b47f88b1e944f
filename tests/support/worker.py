"""Workers of their own for tests: `python -m agent start` against the servers of a running stack."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from agent.dev.chat.credentials import agent_token
from agent.dev.chat.room_tokens import new_room_token
from agent.dev.secrets import load_dev_secrets
from agent.settings import load_settings
from tests.support.stack import ROOT, RunningStack

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0

Series = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class RunningWorker:
    """A worker process."""

    process: subprocess.Popen[bytes]
    port: int
    log_file: Path
    env: Mapping[str, str]

    def log(self) -> str:
        """What it has logged so far."""
        return self.log_file.read_text(errors="replace")

    async def status(self, path: str, timeout: float = 5.0) -> int:
        """The HTTP status of its health server."""
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as http,
            http.get(f"http://127.0.0.1:{self.port}{path}") as response,
        ):
            return response.status

    async def until_status(self, path: str, wanted: int, timeout: float = READY_TIMEOUT_S) -> None:
        """Wait until its health server answers with this status."""
        async with asyncio.timeout(timeout):
            while True:
                try:
                    if await self.status(path) == wanted:
                        return
                except aiohttp.ClientError:
                    assert self.process.poll() is None, self.log()
                await asyncio.sleep(0.1)

    async def exposition(self) -> str:
        """What it tells Prometheus."""
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{self.port}/metrics") as response:
            assert response.status == 200
            return await response.text()

    async def metrics(self) -> dict[Series, float]:
        """Each series by its name and labels."""
        families = text_string_to_metric_families(await self.exposition())
        return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}

    async def metric(self, name: str, **labels: str) -> float:
        """One series."""
        return (await self.metrics())[name, frozenset(labels.items())]

    async def until_metric(self, wanted: float, name: str, timeout: float = 30.0, **labels: str) -> None:
        """Wait until a series has at least this value."""
        async with asyncio.timeout(timeout):
            while await self.metric(name, **labels) < wanted:
                await asyncio.sleep(0.1)

    def joined(
        self, conversation: str, visitor: str = "tester", job: Mapping[str, object] | None = None
    ) -> tuple[str, str]:
        """LiveKit's address and a token to a new room, to which this worker's agent is sent with this job."""
        made = new_room_token(load_settings(self.env, None), conversation, visitor, dict(job or {}))
        return made.url, made.token

    async def ended(self, timeout: float = STOP_TIMEOUT_S) -> int:
        """Wait for its end; returns its exit status."""
        return await asyncio.to_thread(self.process.wait, timeout)


@asynccontextmanager
async def running_worker(
    stack: RunningStack,
    data_dir: Path,
    *,
    agent: str,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> AsyncIterator[RunningWorker]:
    """Start a worker under an agent's name of its own and wait until it is ready; it is killed at the end if it lives.

    Args:
        stack: whose LiveKit, chat and models it uses.
        data_dir: its journal and its log.
        agent: the name under which rooms ask for it.
        env: settings of this worker.
        prefix: a command that starts it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {
        **os.environ,
        **servers_of(stack),
        "AGENT_NAME": agent,
        "WORKER_PORT": str(port),
        "WORKER_MAX_LOAD": "inf",
        "DATA_DIR": str(data_dir),
        **(env or {}),
    }
    log_file = data_dir / f"worker-{port}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "agent", "start"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    worker = RunningWorker(process, port, log_file, environment)
    try:
        await worker.until_status("/readyz", 200)
        yield worker
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)


def servers_of(stack: RunningStack) -> dict[str, str]:
    """The settings that lead to the servers of a stack."""
    secrets = load_dev_secrets(stack.data_dir)
    return {
        "LIVEKIT_URL": stack.livekit,
        "LIVEKIT_API_KEY": secrets.livekit_api_key,
        "LIVEKIT_API_SECRET": secrets.livekit_api_secret,
        "CHAT_API_URL": stack.chat,
        "CHAT_TOKEN": agent_token(secrets),
        "MODELS_PORT": str(urlsplit(stack.models).port),
    }


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
