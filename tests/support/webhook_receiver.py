"""A receiver of webhooks as a team would write one: verifies each request, and knows notices by their ids."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from agent.webhook.signature import ID_HEADER, parse_secret, verify

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMh"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """What came.

    Attributes:
        url: where to post to.
        ids: the id of each request that was verified and taken, in order, repetitions included.
        events: each notice once, in the order in which it came first.
        refused: how many requests were not ours or not fresh.
        answers: what it does with the next requests, before it takes any more: a status code, or a handler.
        status: what it answers when it takes a request.
    """

    url: str = ""
    ids: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0
    answers: list[int | Answer] = field(default_factory=list)
    status: int = 204

    @property
    def types(self) -> list[str]:
        """The types of the events."""
        return [event["type"] for event in self.events]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`POST /hook`."""
        body = await request.read()
        if not verify(parse_secret(SECRET), dict(_lower(request)), body, time.time()):
            self.refused += 1
            return web.Response(status=401)
        if self.answers:
            answer = self.answers.pop(0)
            return web.Response(status=answer) if isinstance(answer, int) else await answer(request)
        notice = request.headers[ID_HEADER]
        if notice not in self.ids:
            self.events.append(json.loads(body))
        self.ids.append(notice)
        return web.Response(status=self.status)


def _lower(request: web.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


@asynccontextmanager
async def webhook_receiver(port: int | None = None) -> AsyncIterator[Receiver]:
    """A running receiver on a free port, or on this one."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    async with TestServer(app, port=port) as server:
        receiver.url = str(server.make_url("/hook"))
        yield receiver
