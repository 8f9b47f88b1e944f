"""A livekit-server that a test owns, so that it can be killed, kept away and started again on the same ports."""

import asyncio
import secrets
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from rich.console import Console

from agent.dev.livekit_server import find_livekit_server, local_config, server_environment
from agent.dev.ports import LOOPBACK, PortWish, claim_ports, free_udp_port
from agent.dev.steps import Steps

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


class LiveKitProcess:
    """One livekit-server; made by `livekit_process`.

    Args:
        program: the server.
    """

    def __init__(self, program: str) -> None:
        (self._port,) = claim_ports([PortWish(0, "livekit-server", "LIVEKIT_PORT")])
        self._program = program
        self._key, self._secret = f"key_{secrets.token_hex(4)}", secrets.token_hex(24)
        self._config = local_config(
            port=self._port, udp_port=free_udp_port(), api_key=self._key, api_secret=self._secret
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        """The settings that lead to it."""
        return {
            "LIVEKIT_URL": f"ws://{LOOPBACK}:{self._port}",
            "LIVEKIT_API_KEY": self._key,
            "LIVEKIT_API_SECRET": self._secret,
        }

    async def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
        if self._process is not None:
            return
        self._process = subprocess.Popen(
            [self._program], env=server_environment(self._config), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        async with asyncio.timeout(START_TIMEOUT_S), aiohttp.ClientSession() as http:
            while True:
                assert self._process.poll() is None, f"livekit-server ended with {self._process.returncode}"
                try:
                    async with http.get(f"http://{LOOPBACK}:{self._port}/") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it without any chance to do something about it; all its rooms are gone."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait, STOP_TIMEOUT_S)
            self._process = None


@asynccontextmanager
async def livekit_process() -> AsyncIterator[LiveKitProcess]:
    """Start a livekit-server with ports and keys of its own; it is killed at the end."""
    with Steps(Console(stderr=True)) as steps:
        found = await find_livekit_server(steps)
    server = LiveKitProcess(str(found.program))
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
