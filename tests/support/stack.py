"""The whole stack for tests, as `python -m agent dev` runs it, with ports and a data folder of its own."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 240.0  # a first start builds livekit-server and the page
STOP_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class RunningStack:
    """Where a running stack is reached."""

    page: str
    livekit: str
    chat: str
    models: str
    data_dir: Path
    log_file: Path
    process: subprocess.Popen[bytes]

    @property
    def chat_base(self) -> str:
        """The chat API for WebSockets, ending in a slash."""
        return self.chat

    def log(self) -> str:
        """Everything that the stack has printed so far."""
        return self.log_file.read_text(errors="replace")

    async def room_token(self, conversation: str, visitor: str = "tester", **body: Any) -> dict[str, Any]:
        """Ask for a room token as the page does; returns the server's answer."""
        url = f"{self.page}/api/generate-room-token"
        async with (
            aiohttp.ClientSession() as http,
            http.post(url, params={"session_user": visitor}, json={"conversation": conversation, **body}) as response,
        ):
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            return answer

    async def thread(self, conversation: str, visitor: str = "tester") -> list[dict[str, Any]]:
        """All messages of a conversation, as its owner reads them."""
        scheme, rest = self.chat.split("://", 1)
        url = f"{'https' if scheme == 'wss' else 'http'}://{rest}conversation/{conversation}/messages/"
        async with (
            aiohttp.ClientSession() as http,
            http.get(url, params={"session_user": visitor, "app_type": "test", "limit": "200"}) as response,
        ):
            if response.status == 404:
                return []
            assert response.status == 200, await response.text()
            results: list[dict[str, Any]] = (await response.json())["results"]
            return results

    async def until_thread(
        self, conversation: str, count: int, visitor: str = "tester", timeout: float = 60.0
    ) -> list[dict[str, Any]]:
        """Wait until a conversation has at least so many messages."""
        thread: list[dict[str, Any]] = []
        async with asyncio.timeout(timeout):
            while len(thread := await self.thread(conversation, visitor)) < count:
                await asyncio.sleep(0.1)
        return thread

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything that it started."""
        try:
            parent = psutil.Process(self.process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def commands(self) -> dict[int, list[str]]:
        """The command lines of those processes, by their numbers; of one that ends just now there is none any more."""
        found: dict[int, list[str]] = {}
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):  # a zombie is one, too
                found[process.pid] = process.cmdline()
        return found

    def worker_pid(self) -> int:
        """The main process of the stack's own worker."""
        (pid,) = [pid for pid, command in self.commands().items() if command[-3:] == ["-m", "agent", "start"]]
        return pid


@asynccontextmanager
async def running_stack(data_dir: Path, env: Mapping[str, str] | None = None) -> AsyncIterator[RunningStack]:
    """Start the stack, wait until it is ready, and end it with SIGTERM; nothing of it may stay behind."""
    data_dir.mkdir(parents=True, exist_ok=True)
    log_file = data_dir / "stack.log"
    ports = dict.fromkeys(("PAGE_PORT", "LIVEKIT_PORT", "MODELS_PORT", "WORKER_PORT"), "0")
    environment = {**os.environ, **ports, "DATA_DIR": str(data_dir), **(env or {})}
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent", "dev", "--json"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    family: list[psutil.Process] = []
    try:
        line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), START_TIMEOUT_S)
        if not line:
            raise RuntimeError(f"the stack did not start:\n{log_file.read_text(errors='replace')}")
        where = json.loads(line)
        stack = RunningStack(
            page=where["page"].rstrip("/"),
            livekit=where["livekit"],
            chat=where["chat"],
            models=where["models"],
            data_dir=data_dir,
            log_file=log_file,
            process=process,
        )
        assert urlsplit(stack.page).port
        yield stack
        family = stack.processes()
    finally:
        process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)
        process.stdout.close()
    assert status == 0, f"the stack ended with {status}"
    left = [p.pid for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not left, f"processes stayed behind: {left}"
