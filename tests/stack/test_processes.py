"""The children of the stack: started, restarted and ended, with everything that they start."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from agent.dev import processes
from agent.dev.ports import PortWish, claim_ports
from agent.dev.problems import StartError
from agent.dev.processes import ManagedProcess, ProcessSpec, Reaper

ROOT = Path(__file__).parents[2]

# Answers health checks; with "stubborn" it ignores SIGTERM; it starts a grandchild that ignores SIGTERM too.
SERVER = """
import http.server, signal, subprocess, sys
marker, port, *ways = sys.argv[1:]
if "dies" in ways:
    sys.exit("no good: the reason")
if "stubborn" in ways:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sh", "-c", f"trap '' TERM; sleep 300; : {marker}"])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", int(port)), Handler)
print("x" * 100_000)
print("listening", flush=True)
server.serve_forever()
"""


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., ProcessSpec]:
    def make(*ways: str, grace: float = 3.0) -> ProcessSpec:
        (port,) = claim_ports([PortWish(0, "a test", "PAGE_PORT")])
        command = (sys.executable, "-c", SERVER, str(tmp_path), str(port), *ways)
        return ProcessSpec("server", command, dict(os.environ), f"http://127.0.0.1:{port}/", grace=grace)

    return make


@pytest.fixture
async def start(console: Console) -> AsyncIterator[Callable[[ProcessSpec], "Running"]]:
    """Runs a child; it is ended with the test."""
    reaper = Reaper()
    await reaper.start()
    begun: list[Running] = []

    def run(spec: ProcessSpec) -> "Running":
        begun.append(Running(ManagedProcess(spec, console, reaper, 8)))
        return begun[-1]

    yield run
    for one in begun:
        one.process.kill()
        await asyncio.wait({one.task})
    await reaper.close()


class Running:
    """A child and the task that owns it."""

    def __init__(self, process: ManagedProcess) -> None:
        self.process = process
        self.task = asyncio.create_task(process.run())

    async def ready(self) -> int:
        async with asyncio.timeout(20):
            await self.process.ready.wait()
        assert self.process.pid is not None
        return self.process.pid


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


Start = Callable[[ProcessSpec], Running]
Spec = Callable[..., ProcessSpec]
Find = Callable[[Path], list[int]]


async def test_output_is_shown_with_the_name_of_its_process(start: Start, spec: Spec, shown: Callable[[], str]) -> None:
    """Each line tells whose it is; a very long one is cut and stops nothing."""
    await start(spec()).ready()
    await until(lambda: "server   │ listening" in shown())


async def test_a_child_that_dies_is_started_again(
    start: Start, spec: Spec, shown: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said how it ended, and another takes its place."""
    monkeypatch.setattr(processes, "RESTART_DELAYS", (0.05,))
    running = start(spec())
    first = await running.ready()
    os.kill(first, signal.SIGKILL)
    await until(lambda: not running.process.ready.is_set())
    assert await running.ready() != first
    assert "was ended by SIGKILL; starting it again in 0.05 s" in shown()
    assert "ready again" in shown()


async def test_a_child_that_keeps_dying_is_given_up_until_a_file_is_saved(
    start: Start, spec: Spec, shown: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stack lives on without it, and a restart brings it back."""
    monkeypatch.setattr(processes, "RESTART_DELAYS", ())
    running = start(spec())
    os.kill(await running.ready(), signal.SIGKILL)
    await until(lambda: "given up" in shown())
    assert not running.task.done()
    running.process.restart()
    await running.ready()


async def test_a_child_that_never_starts_ends_the_start_with_its_last_words(start: Start, spec: Spec) -> None:
    """The line names the process and says what it said."""
    running = start(spec("dies"))
    with pytest.raises(StartError, match=r"server did not start \(ended with status 1\): no good: the reason"):
        await asyncio.wait_for(running.task, 20)


async def test_a_program_that_is_not_there_ends_the_start(start: Start) -> None:
    """No traceback: the program is named."""
    running = start(ProcessSpec("server", ("/nowhere/server",), {}, "http://127.0.0.1:9/"))
    with pytest.raises(StartError, match="server cannot be run: /nowhere/server: No such file"):
        await asyncio.wait_for(running.task, 20)


async def test_stop_leaves_no_process(start: Start, spec: Spec, tmp_path: Path, running: Find) -> None:
    """Neither the child nor its own children, though those ignore SIGTERM."""
    one = start(spec())
    await one.ready()
    await until(lambda: len(running(tmp_path)) >= 2)
    one.process.stop()
    await asyncio.wait_for(one.task, 10)
    await until(lambda: running(tmp_path) == [])


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(
    start: Start, spec: Spec, tmp_path: Path, running: Find
) -> None:
    """Nothing outlives the stack by being stubborn."""
    one = start(spec("stubborn", grace=0.2))
    await one.ready()
    one.process.stop()
    await asyncio.wait_for(one.task, 10)
    await until(lambda: running(tmp_path) == [])


async def test_kill_does_not_wait_for_the_grace(start: Start, spec: Spec, tmp_path: Path, running: Find) -> None:
    """A second Ctrl-C ends a stubborn child at once."""
    one = start(spec("stubborn", grace=3600.0))
    await one.ready()
    one.process.stop()
    one.process.kill()
    await asyncio.wait_for(one.task, 10)
    await until(lambda: running(tmp_path) == [])


async def test_a_restart_ends_the_old_child_before_the_new_one(start: Start, spec: Spec) -> None:
    """They take the same port, so there is never more than one."""
    one = start(spec())
    first = await one.ready()
    one.process.restart()
    await until(lambda: one.process.pid not in (None, first))
    assert not psutil.pid_exists(first)
    await one.ready()


SUPERVISOR = """
import asyncio, sys
from rich.console import Console
from agent.dev.processes import ManagedProcess, ProcessSpec, Reaper
async def main():
    reaper = Reaper()
    await reaper.start()
    spec = ProcessSpec("server", tuple(sys.argv[2:]), {}, sys.argv[1])
    process = ManagedProcess(spec, Console(stderr=True), reaper)
    task = asyncio.create_task(process.run())
    await process.ready.wait()
    print("ready", flush=True)
    await task
asyncio.run(main())
"""


async def test_a_killed_supervisor_leaves_no_process(spec: Spec, tmp_path: Path, running: Find) -> None:
    """Even after SIGKILL, when nothing of ours can run, children and grandchildren end."""
    child = spec()
    command = [sys.executable, "-c", SUPERVISOR, child.health_url, *child.command]
    supervisor = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert supervisor.stdout is not None
        assert await supervisor.stdout.readline() == b"ready\n"
    finally:
        supervisor.kill()
        await supervisor.wait()
    try:
        await until(lambda: running(tmp_path) == [])
    finally:
        for pid in running(tmp_path):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
