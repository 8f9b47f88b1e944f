"""The worker over HTTP: whether it is alive, whether it is ready, and its metrics.

`GET /livez` answers 200 as long as the event loop runs: only a worker that hangs is worth killing. `GET /readyz`
answers 200 while LiveKit may send calls here: registered, and not draining. A chat server or a model that is down
changes neither. The library's own check answers 200 before the worker has registered, and a room that is made in
between never gets its agent.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from aiohttp import web

from agent.metrics.exposition import CONTENT_TYPE

NOT_CONNECTED = "LiveKit is not reached: the worker is not registered there"
DRAINING = "draining: running calls finish, new ones go elsewhere"


class HealthServer(AbstractAsyncContextManager["HealthServer"]):
    """Serves `/livez`, `/readyz` and `/metrics` while it is entered.

    Args:
        host: the address to listen on.
        port: the port, 0 for a free one.
        registered: whether LiveKit knows the worker at this moment.
        metrics: the text for Prometheus.

    Attributes:
        draining: no further call is taken.

    Raises:
        OSError: on entering, when the port cannot be used.
    """

    def __init__(
        self, host: str, port: int, *, registered: Callable[[], bool], metrics: Callable[[], Awaitable[bytes]]
    ) -> None:
        self.draining = False
        self._host = host
        self._port = port
        self._registered = registered
        self._metrics = metrics
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._show_metrics)
        self._runner = web.AppRunner(app, access_log=None)

    @property
    def port(self) -> int:
        """The port that it listens on, once entered."""
        port: int = self._runner.addresses[0][1]
        return port

    @property
    def not_ready_because(self) -> str:
        """Why no call should come here; empty while calls may come."""
        if self.draining:
            return DRAINING
        return "" if self._registered() else NOT_CONNECTED

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _livez(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _readyz(self, request: web.Request) -> web.Response:
        if reason := self.not_ready_because:
            return web.json_response({"status": "not ready", "reason": reason}, status=503)
        return web.json_response({"status": "ok"})

    async def _show_metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=await self._metrics(), headers={"Content-Type": CONTENT_TYPE})
