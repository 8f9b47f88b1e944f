"""A client written from CHAT_PROTOCOL alone: nothing of the server's code is used."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Frame = dict[str, Any]


class PlainClient:
    """One open WebSocket; frames are read in order, those that are not waited for are kept in `seen`."""

    def __init__(self, link: ClientConnection) -> None:
        self.link = link
        self.seen: list[Frame] = []

    async def send(self, frame: object) -> None:
        """Send a frame as JSON, or a text as it is."""
        await self.link.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def action(self, action: str, **data: object) -> None:
        """Send one guide action."""
        await self.send({"event": "action", "data": {"action": action, **data}})

    async def block(self, content: str, block_type: str = "text_msg", conversation_type: object = None) -> None:
        """Send one unpod block."""
        body = {"content": content, "conversation_type": conversation_type}
        await self.send({"event": "block", "data": {"block": "text", "block_type": block_type, "data": body}})

    async def until(self, wanted: Callable[[Frame], bool], timeout: float = 5.0) -> Frame:
        """The next frame that is wanted."""
        async with asyncio.timeout(timeout):
            while True:
                frame: Frame = json.loads(await self.link.recv())
                self.seen.append(frame)
                if wanted(frame):
                    return frame

    async def event(self, name: str) -> Frame:
        """The next frame with this event."""
        return await self.until(lambda frame: frame.get("event") == name)

    async def message(self) -> Frame:
        """The next message's payload."""
        payload: Frame = (await self.event("message"))["payload"]
        return payload

    async def messages(self, count: int) -> list[Frame]:
        """The next messages' payloads."""
        return [await self.message() for _ in range(count)]

    async def sync(self) -> list[Frame]:
        """Everything that came before the answer to a ping, the answer excluded."""
        start = len(self.seen)
        await self.send({"event": "ping", "data": {}})
        await self.event("pong")
        return self.seen[start:-1]

    async def closed(self, timeout: float = 5.0) -> int | None:
        """Read until the connection ends; the code that it ended with."""
        async with asyncio.timeout(timeout):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    self.seen.append(json.loads(await self.link.recv()))
        return self.link.close_code

    async def close(self) -> None:
        """Say goodbye."""
        await self.link.close()


async def open_client(url: str, **headers: str) -> PlainClient:
    """Connect to a conversation's address; raises what `websockets` raises when it is refused."""
    return PlainClient(await connect(url, additional_headers=headers, max_size=None, ping_interval=None))
