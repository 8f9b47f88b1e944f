"""A small chat server of the guide dialect, whose moods a test decides: it stores each id once, echoes, has history.

Written from CHAT_PROTOCOL alone; nothing of the embedded server is used.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Frame = dict[str, Any]


class GuideServer:
    """One conversation.

    `log` is what happened, in order: "open 1", "history", "append <id>", "attach", "detach", "close 1"; a number names
    a link. `history_status` is what a request for history is answered with, after `history_open` allows it. `refuse`
    answers handshakes with a status. With `mute` nothing is echoed. `answer_from` is how often a question has to be
    asked (`next`) until it is answered; 0 for never.
    """

    def __init__(self) -> None:
        self.port = 0
        self.log: list[str] = []
        self.messages: list[Frame] = []
        self.links: list[ServerConnection] = []
        self.refuse: int | None = None
        self.history_status = 200
        self.history_open = asyncio.Event()
        self.history_open.set()
        self.mute = False
        self.answer_from = 0
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        """The address of `CHAT_API_URL`."""
        return f"ws://127.0.0.1:{self.port}/ws/v1/"

    @property
    def texts(self) -> list[str]:
        """What the thread holds."""
        return [message["text"] for message in self.messages]

    async def until(self, entry: str, times: int = 1) -> None:
        """Wait until something has happened this often."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.log.count(entry) >= times)

    async def say(self, text: str) -> None:
        """Somebody writes in the thread."""
        await self._store({"id": f"typed_{len(self.messages)}", "message": text, "role": "user", "channel": "chat"})

    async def process_request(self, link: ServerConnection, request: Request) -> Response | None:
        """A handshake, or a request for history."""
        path, _, query = request.path.partition("?")
        if path.endswith("/messages/"):
            await self.history_open.wait()
            await self._note("history")
            after = int(dict(part.split("=") for part in query.split("&")).get("after", "0"))
            body = json.dumps({"results": self.messages[after:], "next": None})
            response = link.respond(200, body) if self.history_status == 200 else link.respond(self.history_status, "")
            return response
        return link.respond(self.refuse, "no\n") if self.refuse is not None else None

    async def handle(self, link: ServerConnection) -> None:
        """One link."""
        self.links.append(link)
        number = len(self.links)
        await self._note(f"open {number}")
        try:
            async for raw in link:
                data = json.loads(raw)["data"]
                if data["action"] == "next":
                    await self._note(f"next {data['id']}")
                    await self._store(data)
                    if self.answer_from and self.log.count(f"next {data['id']}") == self.answer_from:
                        answer = {
                            "message": f"The answer to: {data['message']}",
                            "role": "assistant",
                            "channel": "chat",
                        }
                        await self._store({"id": f"answer_{data['id']}", "reply_to": data["id"], **answer})
                elif data["action"] == "append":
                    await self._note(f"append {data['id']}")
                    await self._store(data)
                else:
                    await self._note(data["action"])
        except ConnectionClosed:
            pass
        finally:
            await self._note(f"close {number}")

    async def _store(self, data: Frame) -> None:
        known = [message for message in self.messages if message["id"] == data["id"]]
        if not known:
            fields = {key: data.get(key) for key in ("id", "role", "channel", "reply_to")}
            self.messages.append({**fields, "seq": len(self.messages) + 1, "text": data["message"]})
        message = (known or self.messages)[-1]
        frame = json.dumps({"event": "message", "type": "message", "payload": message, "message": message})
        if not self.mute:
            for link in self.links:
                try:
                    await link.send(frame)
                except ConnectionClosed:
                    continue

    async def _note(self, entry: str) -> None:
        async with self._changed:
            self.log.append(entry)
            self._changed.notify_all()


@asynccontextmanager
async def guide_server() -> AsyncIterator[GuideServer]:
    """A server on a free port, until the end of the block."""
    server = GuideServer()
    async with serve(
        server.handle, "127.0.0.1", 0, process_request=server.process_request, ping_interval=None, close_timeout=1
    ) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server
        server.history_open.set()
