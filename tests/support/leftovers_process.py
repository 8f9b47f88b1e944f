"""A worker's delivery of what calls left, in a process of its own: what `python -m agent start` does beside its calls.

It reads the settings of the environment, as the worker does, and ends with SIGTERM or SIGKILL alone.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from agent.journal.opening import open_for_worker
from agent.settings import load_settings
from agent.worker.delivery import LeftoverDelivery

ROOT = Path(__file__).parents[2]


class LeftoversProcess:
    """A running one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    @asynccontextmanager
    async def started(
        cls, data_dir: Path, chat: str, token: str, dialect: str = "guide"
    ) -> AsyncIterator["LeftoversProcess"]:
        """Start it; it is killed at the end of the block."""
        started = await cls.start(data_dir, chat, token, dialect)
        try:
            yield started
        finally:
            await started.kill()

    @classmethod
    async def start(
        cls, data_dir: Path, chat: str, token: str, dialect: str = "guide", log: IO[bytes] | None = None
    ) -> "LeftoversProcess":
        """Start it, with its log in a file if there is one; whoever does so ends it."""
        told = {"DATA_DIR": str(data_dir), "CHAT_API_URL": chat, "CHAT_TOKEN": token, "CHAT_DIALECT": dialect}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.leftovers_process"),
            cwd=ROOT,
            env={**os.environ, **told},
            stderr=log,
        )
        return cls(process)

    async def kill(self) -> None:
        """SIGKILL, unless it has ended."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


async def _main() -> None:
    settings = load_settings(env_file=None)
    with open_for_worker(settings.data_dir) as journal:
        await LeftoverDelivery(settings, journal, lambda conversation: None).run()


if __name__ == "__main__":
    asyncio.run(_main())
