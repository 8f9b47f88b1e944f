"""A call's process that takes too much memory is ended by its worker, before the kernel ends another one."""

import asyncio
import logging
from pathlib import Path

import pytest
from livekit.agents import JobProcess

from tests.support.unregistered_worker import unregistered_worker

LIMIT_MB = 250
PLACES = 2
HANGING_S = 150.0


async def test_a_process_over_its_limit_is_killed_and_replaced(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says how much it had; the worker lives on and starts another one. What calls need is far below."""
    limit = {"WORKER_CALL_MEMORY_MB": str(LIMIT_MB), "WORKER_CALLS_PER_PROCESS": str(PLACES)}
    with caplog.at_level(logging.INFO, "livekit.agents"):
        async with (
            unregistered_worker(take_too_much, tmp_path, monkeypatch, **limit) as running,
            asyncio.timeout(HANGING_S),
        ):
            while sum("initializing process" in record.message for record in caplog.records) < 2:
                assert not running.done(), running
                await asyncio.sleep(0.1)
    killed = next(record for record in caplog.records if "exceeded memory limit" in record.message)
    assert killed.__dict__["memory_usage_mb"] > PLACES * LIMIT_MB
    assert killed.__dict__["memory_limit_mb"] == PLACES * LIMIT_MB


def take_too_much(process: JobProcess) -> None:
    """Stands for a call that leaks."""
    process.userdata["leaked"] = bytearray(PLACES * LIMIT_MB * 2**20)
