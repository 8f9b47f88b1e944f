"""What `make test` and the make targets need built: `python -m agent.dev.prepare livekit-server page check-page`."""

import argparse
import asyncio
import sys

from rich.console import Console

from agent.dev.livekit_server import find_livekit_server
from agent.dev.page_build import build_page, check_page
from agent.dev.problems import StartError, only_cause
from agent.dev.steps import Steps


async def prepare(parts: list[str], console: Console) -> None:
    """Build the parts, those that do not wait for each other at once; the first failure ends all.

    Raises:
        StartError: a part cannot be built; the message says what to do.
    """
    with Steps(console) as steps:
        try:
            async with asyncio.TaskGroup() as group:
                server = group.create_task(find_livekit_server(steps)) if "livekit-server" in parts else None
                page = group.create_task(build_page(steps)) if "page" in parts else None
        except ExceptionGroup as failed:
            raise only_cause(failed) from None
        if server is not None:
            console.print(f"{server.result()}", highlight=False)
        if page is not None:
            console.print(f"page: {page.result()}", highlight=False)
        if "check-page" in parts:
            await check_page(steps)


def main() -> int:
    """Build what the arguments name; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m agent.dev.prepare", description=__doc__)
    parser.add_argument("parts", nargs="+", choices=["livekit-server", "page", "check-page"])
    console = Console(stderr=True, soft_wrap=True)
    try:
        asyncio.run(prepare(parser.parse_args().parts, console))
    except StartError as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
