"""The chat server in a process of its own, as `python -m agent serve chat` runs it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class ServerProcess:
    """Where it is reached."""

    port: int
    process: subprocess.Popen[bytes]

    def chat(self, conversation: str, session: str = "visitor-1") -> str:
        """The address of a conversation's WebSocket, for a visitor."""
        return f"ws://127.0.0.1:{self.port}/ws/v1/conversation/{conversation}/?session_user={session}"

    async def ask(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """The JSON that an address answers with."""
        url = f"http://127.0.0.1:{self.port}{path}"
        async with aiohttp.ClientSession() as http, http.request(method, url, **options) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def kill(self) -> None:
        """End it without any chance to do something about it."""
        self.process.kill()
        await asyncio.to_thread(self.process.wait, STOP_TIMEOUT_S)


@asynccontextmanager
async def server_process(data_dir: Path, port: int, **env: str) -> AsyncIterator[ServerProcess]:
    """Start it on a data folder and a free port, and end it with SIGTERM unless it has ended."""
    environment = {**os.environ, "DATA_DIR": str(data_dir), "PAGE_PORT": str(port), "LOG_LEVEL": "WARNING", **env}
    process = subprocess.Popen([sys.executable, "-m", "agent", "serve", "chat"], cwd=ROOT, env=environment)
    server = ServerProcess(port, process)
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not await _is_up(server):
                assert process.poll() is None, f"the server ended with {process.returncode}"
                await asyncio.sleep(0.05)
        yield server
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)


async def _is_up(server: ServerProcess) -> bool:
    try:
        await server.ask("GET", "/healthz")
    except aiohttp.ClientConnectionError:
        return False
    return True
