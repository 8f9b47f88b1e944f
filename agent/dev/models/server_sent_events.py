"""Server-sent events as the OpenAI API uses them: `data:` lines of JSON."""

import json
from types import TracebackType
from typing import Self

from aiohttp import web


class EventStream:
    """A response of events; entering sends the headers, leaving without an error ends it."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        )

    async def __aenter__(self) -> Self:
        await self.response.prepare(self._request)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.response.write_eof()

    async def send(self, event: object) -> None:
        """Send one event; raises ConnectionResetError when the client is gone."""
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        await self.response.write(f"data: {text}\n\n".encode())

    async def done(self) -> None:
        """Send the mark that ends a stream of chat completions."""
        await self.response.write(b"data: [DONE]\n\n")
