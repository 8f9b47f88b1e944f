"""A worker in this process, with its pool of real processes, that no LiveKit knows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from livekit.agents import JobProcess

from agent.hosting import Hosts
from agent.settings import load_settings
from agent.worker.job_requests import JobRequests
from agent.worker.worker import create_worker


@asynccontextmanager
async def unregistered_worker(
    prepare: Callable[[JobProcess], None], folder: Path, monkeypatch: pytest.MonkeyPatch, **wanted: str
) -> AsyncIterator[asyncio.Task[None]]:
    """Run it; in the end it is closed.

    Args:
        prepare: what each of its processes does before a call, in place of loading models.
        folder: for its data.
        monkeypatch: the library sets variables in this process and leaves them so; this takes them back.
        wanted: further settings, by their variables.
    """
    env = {"LIVEKIT_URL": "ws://127.0.0.1:9", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 32}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    settings = load_settings({**env, "DATA_DIR": str(folder), **wanted}, None)
    server = create_worker(settings, JobRequests(settings))
    server.setup_fnc = prepare
    async with Hosts(settings.worker_calls_per_process).serving():
        running = asyncio.create_task(server.run(unregistered=True))
        try:
            yield running
        finally:
            await server.aclose()
            await running
