"""A call with a server of tools, in a process of its own that waits to be killed: `killed_server JOURNAL`."""

import asyncio
import sys
from pathlib import Path

from tests.tools.model_session import follow, talking
from tests.tools.test_mcp import stdio


async def main(journal: str) -> None:
    """Say when the server is there."""
    async with talking(follow(), stdio(), Path(journal)) as call:
        await call.until(lambda: bool(call.brain.assistant.tools), timeout=60)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
