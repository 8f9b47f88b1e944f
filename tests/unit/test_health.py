"""Alive is not the same as ready, and a worker that hangs is neither."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import pytest

from agent.worker.health import HealthServer


async def no_metrics() -> bytes:
    return b"up 1\n"


async def get(port: int, path: str, timeout: float = 5.0) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as http,
        http.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, await response.text()


async def test_ready_means_registered_and_not_draining() -> None:
    """LiveKit that is lost and found again changes readiness both ways; draining ends it; none changes liveness."""
    registered = False
    async with HealthServer("127.0.0.1", 0, registered=lambda: registered, metrics=no_metrics) as health:
        for wanted, said in ((False, "LiveKit is not reached"), (True, "ok"), (False, "LiveKit is not reached")):
            registered = wanted
            status, text = await get(health.port, "/readyz")
            assert (status, said in text) == (200 if wanted else 503, True)
        registered = health.draining = True
        status, text = await get(health.port, "/readyz")
        assert (status, "draining" in text) == (503, True)
        assert (await get(health.port, "/livez"))[0] == 200


async def test_metrics_are_served_as_prometheus_reads_them() -> None:
    """Prometheus takes the type from the header."""
    async with (
        HealthServer("127.0.0.1", 0, registered=lambda: True, metrics=no_metrics) as health,
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{health.port}/metrics") as response,
    ):
        assert await response.text() == "up 1\n"
        assert response.headers["Content-Type"].startswith("text/plain; version=")


async def test_a_hanging_event_loop_is_not_alive() -> None:
    """The probe gets no answer, which kills the worker; with an answer it would live on and serve nobody."""
    with server_in_a_thread() as (port, loop):
        assert (await get(port, "/livez"))[0] == 200
        released = threading.Event()
        loop.call_soon_threadsafe(released.wait, 30)
        try:
            with pytest.raises(TimeoutError):
                await get(port, "/livez", timeout=1.0)
        finally:
            released.set()
        assert (await get(port, "/livez"))[0] == 200


@contextmanager
def server_in_a_thread() -> Iterator[tuple[int, asyncio.AbstractEventLoop]]:
    """A health server whose event loop can be held up from here; its port and its loop."""
    loops: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        async with HealthServer("127.0.0.1", 0, registered=lambda: True, metrics=no_metrics) as health:
            stop = asyncio.Event()
            loops.append((health.port, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    while not loops:
        time.sleep(0.01)
    port, loop, stop = loops[0]
    try:
        yield port, loop
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
