"""A chat client of one conversation for tests: somebody who reads and types while a call runs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect

from tests.support.stack import RunningStack

Payload = dict[str, Any]


class ThreadClient:
    """What came over one WebSocket: `messages` in order, and the `typing` notices."""

    def __init__(self, link: ClientConnection) -> None:
        self.messages: list[Payload] = []
        self.typing: list[Payload] = []
        self._link = link
        self._came = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, stack: RunningStack, conversation: str, visitor: str = "tester"
    ) -> AsyncIterator["ThreadClient"]:
        """Connect as a visitor, and close at the end."""
        query = urlencode({"session_user": visitor, "app_type": "test"})
        async with connect(f"{stack.chat}conversation/{conversation}/?{query}") as link:
            client = cls(link)
            reader = asyncio.create_task(client._read())
            try:
                yield client
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)

    async def type(self, text: str, **fields: object) -> None:
        """Send a message that wants an answer."""
        data = {"action": "next", "execution_type": "chat", "message": text, **fields}
        await self._link.send(json.dumps({"event": "action", "data": data}))

    async def until(self, wanted: Callable[[Payload], bool], timeout: float = 60.0) -> Payload:
        """The first message that is wanted, whether it has come already or is still to come."""
        async with asyncio.timeout(timeout):
            while (found := next((m for m in self.messages if wanted(m)), None)) is None:
                self._came.clear()
                await self._came.wait()
        return found

    async def _read(self) -> None:
        async for raw in self._link:
            frame = json.loads(raw)
            if frame.get("event") == "message":
                self.messages.append(frame["payload"])
            elif frame.get("event") == "typing":
                self.typing.append(frame["payload"])
            self._came.set()
