"""The processes of a run: livekit-server, the models, the workers. Each in a session of its own, ended with it."""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from rich.console import Console

from agent.dev.livekit_server import find_livekit_server, local_config
from agent.dev.ports import LOOPBACK, PortWish, claim_ports, free_udp_port
from agent.dev.steps import Steps

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 90.0
GRACE_S = 8.0
# Nothing else of the caller's environment reaches the contenders: keys and settings of the person who runs this.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "SSL_CERT_FILE")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class BenchError(RuntimeError):
    """A process of the run did not start or ended early; the message names it and shows its last lines."""


@dataclass(frozen=True)
class LiveKit:
    """A running livekit-server and the keys to it."""

    url: str
    api_key: str
    api_secret: str

    def environment(self) -> dict[str, str]:
        """What a worker is told of it."""
        return {"LIVEKIT_URL": self.url, "LIVEKIT_API_KEY": self.api_key, "LIVEKIT_API_SECRET": self.api_secret}


@dataclass(frozen=True)
class Program:
    """A running process and what it has written."""

    name: str
    process: asyncio.subprocess.Process
    log_file: Path

    def last_lines(self) -> str:
        """The end of its output."""
        return self.log_file.read_text(errors="replace")[-2000:]


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: what is kept of this one, one thread for numeric libraries, and what is given."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, **ONE_THREAD, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def free_port(purpose: str) -> int:
    """A TCP port of 127.0.0.1 that nobody uses now."""
    return claim_ports([PortWish(0, purpose, "")])[0]


@asynccontextmanager
async def running(
    name: str, command: Sequence[str], env: Mapping[str, str], folder: Path, ready: Callable[[Program], "Ready"]
) -> AsyncIterator[Program]:
    """Start a process, wait until it is ready, and end it and all that it started.

    Args:
        name: what it is called in messages; also the name of its log file.
        command: what is run.
        env: its environment.
        folder: where it runs and logs; no `.env` of the project is there.
        ready: what is waited for.

    Raises:
        BenchError: it ended, or was not ready in time.
    """
    log_file = folder / f"{name}.log"
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=dict(env),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    program = Program(name, process, log_file)
    try:
        await _until_ready(program, ready(program))
        yield program
    finally:
        await _end(process)


class Ready:
    """A condition that is asked again and again."""

    async def is_met(self) -> bool:
        """Whether it is so now."""
        raise NotImplementedError


@dataclass(frozen=True)
class Answers(Ready):
    """An address answers with success."""

    url: str

    async def is_met(self) -> bool:
        """See `Ready`."""
        try:
            async with aiohttp.ClientSession() as http, http.get(self.url) as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


@dataclass(frozen=True)
class Says(Ready):
    """A process has written some words."""

    program: Program
    words: str

    async def is_met(self) -> bool:
        """See `Ready`."""
        return self.words in self.program.log_file.read_text(errors="replace")


@dataclass(frozen=True)
class AtOnce(Ready):
    """Nothing is waited for."""

    async def is_met(self) -> bool:
        """See `Ready`."""
        return True


@asynccontextmanager
async def livekit_server(folder: Path, console: Console) -> AsyncIterator[LiveKit]:
    """A livekit-server on free ports, built first where there is none."""
    with Steps(console) as steps:
        server = await find_livekit_server(steps)
    port = free_port("livekit-server")
    made = LiveKit(f"ws://{LOOPBACK}:{port}", "bench", secrets.token_urlsafe(32))
    config = local_config(port=port, udp_port=free_udp_port(), api_key=made.api_key, api_secret=made.api_secret)
    ready = Answers(f"http://{LOOPBACK}:{port}/")
    async with running("livekit-server", [str(server.program)], environment(config), folder, lambda _: ready):
        yield made


@asynccontextmanager
async def models_server(folder: Path) -> AsyncIterator[str]:
    """The local models; gives the base of their OpenAI API."""
    port = free_port("the models")
    env = environment({"MODELS_PORT": str(port), "LOG_LEVEL": "WARNING"})
    command = [sys.executable, "-m", "agent", "serve", "models"]
    ready = Answers(f"http://{LOOPBACK}:{port}/healthz")
    async with running("models", command, env, folder, lambda _: ready):
        yield f"http://{LOOPBACK}:{port}/v1"


@asynccontextmanager
async def stub_server(folder: Path) -> AsyncIterator[str]:
    """The models of a fixed delay; gives the base of their OpenAI API."""
    port = free_port("the stub models")
    command = [sys.executable, "-m", "bench.latency.stub_models", str(port)]
    ready = Answers(f"http://{LOOPBACK}:{port}/healthz")
    async with running("stub-models", command, environment({}), folder, lambda _: ready):
        yield f"http://{LOOPBACK}:{port}/v1"


async def _until_ready(program: Program, ready: Ready) -> None:
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not await ready.is_met():
                if program.process.returncode is not None:
                    status = program.process.returncode
                    raise BenchError(f"{program.name} ended with {status}:\n{program.last_lines()}")
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise BenchError(
            f"{program.name} was not ready after {START_TIMEOUT_S:.0f} s:\n{program.last_lines()}"
        ) from None


async def _end(process: asyncio.subprocess.Process) -> None:
    """In order first; then by force, and with it whatever children are left."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_S)
