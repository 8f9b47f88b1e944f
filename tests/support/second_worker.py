"""A second worker beside the one of a running stack: same LiveKit, same journal, its own port."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil

from tests.support.stack import ROOT, STOP_TIMEOUT_S, RunningStack

REGISTERED = "registered worker"
READY_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class SecondWorker:
    """A worker process."""

    process: subprocess.Popen[bytes]

    def family(self) -> set[int]:
        """It and its job processes."""
        try:
            main = psutil.Process(self.process.pid)
            return {main.pid, *(child.pid for child in main.children(recursive=True))}
        except psutil.NoSuchProcess:
            return set()


@asynccontextmanager
async def second_worker(stack: RunningStack) -> AsyncIterator[SecondWorker]:
    """Start it, wait until LiveKit knows it, and end it with SIGTERM."""
    env = {**psutil.Process(stack.worker_pid()).environ(), "WORKER_PORT": "0", "DRAIN_SECONDS": "0"}
    log_file = stack.data_dir / "second_worker.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent", "start"], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stderr=log
        )
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            while REGISTERED not in log_file.read_text(errors="replace"):
                await asyncio.sleep(0.1)
        yield SecondWorker(process)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)
