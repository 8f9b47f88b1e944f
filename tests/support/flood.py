"""Somebody who floods a thread, in a process of their own: `async with flooding(Flood(url, 200)): …`.

What is written is stored and shown and asks for no answer, so that nothing but the amount is unusual about it.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Flood:
    """What is written where.

    Args:
        url: the conversation's WebSocket, with credentials.
        per_second: messages a second.
        count: how many in all; None without end.
        role: who seems to say it.
    """

    url: str
    per_second: float
    count: int | None = None
    role: str = "user"


@asynccontextmanager
async def flooding(flood: Flood) -> AsyncIterator[asyncio.subprocess.Process]:
    """Begin, and stop at the end of the block if it has not come to its end."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.flood", cwd=ROOT, stdin=pipe, stdout=pipe
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asdict(flood)).encode() + b"\n")
        await asyncio.wait_for(process.stdout.readline(), 30)  # it is connected
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def write(flood: Flood) -> None:
    """Write until the end; each message has a number, from 0."""
    async with connect(flood.url, max_queue=None, ping_interval=None) as link:
        print("connected", flush=True)  # noqa: T201 - for whoever started this process
        reading = asyncio.create_task(_read(link))
        loop, number = asyncio.get_running_loop(), 0
        began = loop.time()
        while flood.count is None or number < flood.count:
            data = {"action": "append", "role": flood.role, "channel": "chat", "message": f"flood {number}"}
            await link.send(json.dumps({"event": "action", "data": data}))
            number += 1
            await asyncio.sleep(began + number / flood.per_second - loop.time())
        reading.cancel()


async def _read(link: ClientConnection) -> None:
    """What is shown to us is taken, or the server would close the connection of a reader so slow."""
    async for _ in link:
        pass


if __name__ == "__main__":
    asyncio.run(write(Flood(**json.loads(sys.stdin.readline()))))
