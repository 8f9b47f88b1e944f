"""What a check of an image says, and waiting for a worker in one."""

import asyncio
import sys
import time

import aiohttp
import psutil

from tests.container.running_image import RunningImage

READY_TIMEOUT_S = 90.0


class Failed(AssertionError):
    """The image is not what it should be."""


def must(holds: bool, what: str) -> None:
    """Say what holds; raise when it does not."""
    if not holds:
        raise Failed(what)
    sys.stdout.write(f"   ok  {what}\n")
    sys.stdout.flush()


def processes_of(container: RunningImage) -> list[psutil.Process]:
    """All processes of the container."""
    main = psutil.Process(container.main_pid())
    return [main, *main.children(recursive=True)]


async def until_ready(container: RunningImage, port: int) -> None:
    """Wait until LiveKit knows it."""
    begun = time.monotonic()
    async with asyncio.timeout(READY_TIMEOUT_S), aiohttp.ClientSession() as http:
        while True:
            if container.process.poll() is not None:
                raise Failed(f"it ended with status {container.process.returncode}")
            try:
                async with http.get(f"http://127.0.0.1:{port}/readyz") as response:
                    if response.status == 200:
                        break
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    must(True, f"it is ready after {time.monotonic() - begun:.1f} s")
