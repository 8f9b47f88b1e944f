"""The chat server of a run, in a process of its own that is killed and started again on the same data and port."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import aiohttp
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from agent.dev.chat.credentials import agent_token
from agent.dev.chat.faults import AnyFault, FaultPlan
from agent.dev.ports import LOOPBACK, PortWish, claim_ports
from agent.dev.secrets import load_dev_secrets

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 180.0  # on a machine that does many other things
TYPING_TIMEOUT_S = 20.0
PAGE = 500
FAULTS = "/api/dev/faults"


class ChatServer:
    """See the module.

    Args:
        data_dir: where its data is.
        model: the base of the OpenAI API of the model that answers in it.
        log: where it logs.
    """

    def __init__(self, data_dir: Path, model: str, log: IO[bytes]) -> None:
        (self.port,) = claim_ports([PortWish(0, "the chat", "PAGE_PORT")])
        self.token = agent_token(load_dev_secrets(data_dir))
        self.caused: Counter[str] = Counter()
        self._env = {
            **os.environ,
            "DATA_DIR": str(data_dir),
            "PAGE_PORT": str(self.port),
            "LOCAL_BASE_URL": model,
            "LOG_LEVEL": "WARNING",
            "CHAT_FAULTS": "1",
        }
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[None] | None = None
        self._faults: tuple[AnyFault, ...] = ()

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self._process is not None and self._starting is None

    def start(self) -> None:
        """Start it, unless it runs, with the faults that it had; nobody waits for it."""
        if self._process is None and self._starting is None:
            self._starting = asyncio.create_task(self._start())

    async def started(self) -> None:
        """Wait until it answers."""
        if self._starting is not None:
            await self._starting

    async def kill(self) -> bool:
        """Ask what it did wrong so far, and SIGKILL; False if it did not run."""
        await self.started()
        if self._process is None:
            return False
        report = await self._ask("GET", FAULTS)
        self.caused.update(report["caused"])
        self._process.kill()
        await self._process.wait()
        self._process = None
        return True

    async def go_wrong(self, faults: Sequence[AnyFault]) -> None:
        """Do these things wrong from now on, or from the next start on."""
        self._faults = tuple(faults)
        if self.running:
            await self._switch_faults()

    async def type(self, conversation: str, text: str) -> None:
        """Somebody types in a thread; whether it arrived, the thread says."""
        url = f"ws://{LOOPBACK}:{self.port}/ws/v1/conversation/{conversation}/?session_user=tester"
        try:
            async with asyncio.timeout(TYPING_TIMEOUT_S), connect(url, max_queue=None) as link:
                data = {"action": "append", "message": text, "role": "user", "channel": "chat"}
                await link.send(json.dumps({"event": "action", "data": data}))
                async for raw in link:
                    if text in str(raw):
                        return
        except (OSError, TimeoutError, WebSocketException):
            return  # it was killed meanwhile

    async def thread(self, conversation: str) -> list[str]:
        """The words of all messages of a thread, in its order."""
        texts: list[str] = []
        after, path = 0, f"/ws/v1/conversation/{conversation}/messages/"
        while True:
            query = {"token": self.token, "after": str(after), "limit": str(PAGE)}
            page = (await self._ask("GET", path, params=query))["results"]
            texts += [message["text"] for message in page]
            if len(page) < PAGE:
                return texts
            after = page[-1]["seq"]

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "agent", "serve", "chat"), cwd=ROOT, env=self._env, stderr=self._log
        )
        async with asyncio.timeout(START_TIMEOUT_S):
            while not await self._is_up():
                assert self._process.returncode is None, "the chat server has ended"
                await asyncio.sleep(0.05)
        await self._switch_faults()
        self._starting = None

    async def _switch_faults(self) -> None:
        await self._ask("PUT", FAULTS, json=FaultPlan(faults=self._faults).model_dump(mode="json"))

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        url = f"http://{LOOPBACK}:{self.port}{path}"
        async with aiohttp.ClientSession() as http, http.request(method, url, **options) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def _is_up(self) -> bool:
        try:
            await self._ask("GET", "/healthz")
        except aiohttp.ClientConnectionError:
            return False
        return True
