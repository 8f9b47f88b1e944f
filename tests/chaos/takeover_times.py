"""`python -m tests.chaos.takeover_times`: for how long a person hears nobody after a kill -9.

Each call is greeted and silent when its agent dies; the time ends with the first sound of the next one. It needs a
machine with nothing else to do, and its figures stand in docs/takeover.md.
"""

import asyncio
import contextlib
import os
import signal
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import aiohttp
import psutil
import typer
from rich.console import Console

from agent.journal.opening import FILE_NAME
from tests.chaos.live_run import Worker
from tests.support.caller import Caller, call
from tests.support.cluster import two_hosts
from tests.support.journal_file import agents_in
from tests.support.redis_server import running_redis
from tests.support.stack import RunningStack, running_stack

LONGEST_S = 60.0
# What arrives right after the kill was on its way before.
ON_ITS_WAY_S = 0.3

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
console = Console()


@app.command()
def main(
    times: Annotated[int, typer.Option(min=1, help="How often each is killed.")] = 5,
) -> None:
    """Kill the process of a call, a worker beside another one, and a worker of another host; print the times."""
    with tempfile.TemporaryDirectory(prefix="takeover-") as folder:
        asyncio.run(_measure(times, Path(folder)))


async def _measure(times: int, folder: Path) -> None:
    async with running_stack(folder / "stack", {"DRAIN_SECONDS": "0"}) as stack:
        async with AsyncExitStack() as exits:
            second = Worker(psutil.Process(stack.worker_pid()).environ(), folder / "second_worker.log")
            exits.push_async_callback(second.close)
            second.start()
            await second.registered()
            _show("the process of a call", [await _killed_job(stack, f"j{n}") for n in range(times)])
            _show(
                "a worker, another one beside it", [await _killed_worker(stack, second, f"w{n}") for n in range(times)]
            )
        _show("a worker, another one on another host", [await _killed_host(stack, folder, n) for n in range(times)])


async def _killed_job(stack: RunningStack, conversation: str) -> float:
    given = await stack.room_token(conversation)
    async with call(given["url"], given["token"]) as caller:
        await _greeted(caller)
        os.kill(agents_in(stack.data_dir / FILE_NAME)[conversation].pid, signal.SIGKILL)
        return await _silence(caller)


async def _killed_worker(stack: RunningStack, second: Worker, conversation: str) -> float:
    given = await stack.room_token(conversation)
    async with call(given["url"], given["token"]) as caller:
        await _greeted(caller)
        group = os.getpgid(agents_in(stack.data_dir / FILE_NAME)[conversation].pid)
        os.killpg(group, signal.SIGKILL)
        heard_after = await _silence(caller)
    if group == second.group:
        await second.kill()
        second.start()
        await second.registered()
    else:
        await _ready(stack)  # the stack has started it again
    return heard_after


async def _ready(stack: RunningStack) -> None:
    async with asyncio.timeout(LONGEST_S), aiohttp.ClientSession() as http:
        while True:
            await asyncio.sleep(0.2)
            with contextlib.suppress(ValueError, psutil.Error, aiohttp.ClientError):  # it is being started
                port = psutil.Process(stack.worker_pid()).environ()["WORKER_PORT"]
                async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return


async def _killed_host(stack: RunningStack, folder: Path, number: int) -> float:
    with running_redis(folder / f"redis-{number}") as redis:
        async with two_hosts(stack, redis, folder / f"hosts-{number}") as hosts, AsyncExitStack() as exits:
            url, token = hosts[0].worker.joined(f"h{number}")
            caller = await exits.enter_async_context(call(url, token))
            await _greeted(caller)
            (killed,) = (host for host in hosts if "call started" in host.worker.log())
            killed.kill_worker()
            return await _silence(caller)


async def _greeted(caller: Caller) -> None:
    await caller.until_agent_speaks(0.0, LONGEST_S)
    await caller.until_agent_is_silent(timeout=LONGEST_S)


async def _silence(caller: Caller) -> float:
    killed_at = time.monotonic()
    return await caller.until_agent_speaks(killed_at + ON_ITS_WAY_S, LONGEST_S) - killed_at


def _show(killed: str, seconds: list[float]) -> None:
    each = ", ".join(f"{one:.2f}" for one in seconds)
    console.print(f"{killed}: p50 {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s ({each})")


if __name__ == "__main__":
    app()
