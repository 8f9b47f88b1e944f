"""A tiny language model behind the OpenAI API, for tests: it streams the words it was last asked, upon command."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class ModelServer:
    """What the model was asked, and how it behaves.

    `open_gate` cleared holds every answer back; `status` other than 200 refuses.
    """

    requests: list[list[dict[str, Any]]] = field(default_factory=list)
    open_gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 200
    port: int = 0

    def __post_init__(self) -> None:
        self.open_gate.set()

    @property
    def base_url(self) -> str:
        """Where the `openai` client finds it."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/chat/completions`: "You wrote: …", word by word."""
        body = await request.json()
        self.requests.append(body["messages"])
        self.asked.set()
        if self.status != 200:
            return web.json_response({"error": {"message": "no"}}, status=self.status)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await self.open_gate.wait()
        for word in f"You wrote: {body['messages'][-1]['content']}".split(" "):
            chunk = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "delta": {"content": word + " "}, "finish_reason": None}],
            }
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


async def start_model_server(model: ModelServer) -> web.AppRunner:
    """Serve the model on a free port."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", model.complete)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    model.port = runner.addresses[0][1]
    return runner
