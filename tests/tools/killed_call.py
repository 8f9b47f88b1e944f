"""A call in a process of its own, which is killed in the middle of a tool: `killed_call URL JOURNAL WHEN`.

WHEN is `running` (the test kills it) or `recording` (it kills itself between the tool's success and its record).
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from agent.tools.ledger import ToolLedger
from agent.tools.spec import ToolSpecs
from tests.tools.model_session import Calls, follow, talking
from tests.tools.specs import tool_spec


async def killed(*_: object) -> NoReturn:
    """The power goes."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


async def main(url: str, journal: str, when: str) -> None:
    """Call the tool once."""
    if when == "recording":
        ToolLedger.end = killed  # type: ignore[method-assign, assignment]
    specs = ToolSpecs(tools=[tool_spec(url, name="book_table", method="POST", timeout_s=60)])
    async with talking(follow(Calls("book_table")), specs, Path(journal), call_id="killed") as call:
        await call.user("Book a table.")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
