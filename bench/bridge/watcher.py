"""Another chat client, plain `websockets`: notes when it has which message."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect


class Watcher:
    """`seen` has the moment (seconds, `time.perf_counter`) of each message, by its words."""

    def __init__(self, link: ClientConnection) -> None:
        self.seen: dict[str, float] = {}
        self._link = link
        self._changed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def watching(cls, url: str) -> AsyncIterator["Watcher"]:
        """Connect, and close at the end."""
        async with connect(url, max_queue=None) as link:
            watcher = cls(link)
            reading = asyncio.create_task(watcher._read())
            try:
                yield watcher
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def until(self, text: str, timeout: float = 60.0) -> float:
        """Wait for a message; returns when it was there."""
        async with asyncio.timeout(timeout):
            while text not in self.seen:
                self._changed.clear()
                await self._changed.wait()
        return self.seen[text]

    async def _read(self) -> None:
        async for raw in self._link:
            now = time.perf_counter()
            frame = json.loads(raw)
            if frame.get("event") == "message":
                self.seen[frame["payload"]["text"]] = now
                self._changed.set()
