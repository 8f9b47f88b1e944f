"""The program that calls: built once with Go, then run for each number of calls."""

import asyncio
import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from agent.dev.problems import StartError
from agent.dev.steps import StepFailed, Steps, file_lock
from agent.dev.toolchain import CACHE, GO, find_toolchain
from bench.density.script import Script
from bench.density.turns import Event
from bench.latency.servers import BenchError, environment

SOURCE = Path(__file__).parent / "caller"
END_S = 10.0
# Longer than anything takes on a machine that can hardly carry its calls.
PATIENCE_S = 120.0


async def find_caller(console: Console, cache: Path = CACHE) -> Path:
    """The program, built first if there is none of these sources.

    Raises:
        StartError: it cannot be built; the message says what to do.
    """
    program = cache / "bin" / f"density-caller-{await asyncio.to_thread(_digest)}"
    waiting = "another run is building the caller: waiting for it"
    async with file_lock(cache / "density-caller.lock", lambda: console.print(waiting)):
        if not program.exists():
            with Steps(console) as steps:
                await _build(program, steps, cache)
    return program


def _digest() -> str:
    """Changes with the sources."""
    sources = sorted(path for path in SOURCE.iterdir() if path.suffix in (".go", ".mod", ".sum"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:12]


async def _build(program: Path, steps: Steps, cache: Path) -> None:
    go = await find_toolchain(GO, steps, cache)
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent, prefix="build-") as folder:
        built = Path(folder) / program.name
        # CGO off: the machine needs no C compiler.
        env = {**go.environment(), "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
        command = (go.program, "build", "-v", "-trimpath", "-ldflags=-s -w", "-o", built, ".")
        try:
            await steps.run("Building the caller (once, about two minutes)", command, env=env, cwd=SOURCE)
        except StepFailed as error:
            raise StartError(
                f"the caller of the measurement could not be built ({error.reason}): check the network and start again"
            ) from None
        os.replace(built, program)


class CallerProgram:
    """A running program; made by `calling`. `events` has all that happened, in the order in which it was said."""

    def __init__(self, process: asyncio.subprocess.Process, log_file: Path) -> None:
        self.events: list[Event] = []
        self._process = process
        self._log_file = log_file
        self._changed = asyncio.Condition()

    @property
    def pid(self) -> int:
        """Of its only process."""
        return self._process.pid

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send the plan or a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def until(self, what: str, found: Callable[[], bool]) -> None:
        """Wait until something has happened.

        Args:
            what: what is waited for, for the message.
            found: looks whether it has; asked after each event.

        Raises:
            BenchError: it has not happened in time, a call was lost, or the program ended.
        """
        try:
            async with asyncio.timeout(PATIENCE_S), self._changed:
                await self._changed.wait_for(lambda: found() or self._broken() is not None)
        except TimeoutError:
            raise BenchError(f"waiting until {what}: not within {PATIENCE_S:.0f} s") from None
        if not found():
            raise BenchError(f"waiting until {what}: {self._broken()}")

    async def read(self) -> None:
        """Take its events until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            event = json.loads(line)
            known = {name: event[name] for name in ("event", "call", "at", "turn", "reason") if name in event}
            async with self._changed:
                self.events.append(Event(**known))
                self._changed.notify_all()
        await self._process.wait()
        async with self._changed:
            self._changed.notify_all()

    def check(self) -> None:
        """Raises BenchError where a call was lost or the program has ended."""
        broken = self._broken()
        if broken is not None:
            raise BenchError(broken)

    def _broken(self) -> str | None:
        lost = next((event for event in self.events if event.event == "lost"), None)
        if lost is not None:
            return f"a caller lost its call ({lost.reason})"
        if self._process.returncode is not None:
            said = self._log_file.read_text(errors="replace")[-1000:]
            return f"the caller ended with {self._process.returncode}: {said}"
        return None


@asynccontextmanager
async def calling(program: Path, url: str, scripts: Mapping[str, Script], folder: Path) -> AsyncIterator[CallerProgram]:
    """Run the program.

    Args:
        program: where it is.
        url: of the LiveKit server.
        scripts: what callers can say, by name.
        folder: where it logs.
    """
    log_file = folder / "caller.log"
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program,
            env=environment({}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    caller = CallerProgram(process, log_file)
    reading = asyncio.create_task(caller.read())
    try:
        caller.tell({"url": url, "scripts": {name: script.to_json() for name, script in scripts.items()}})
        await caller.until("the caller starts", lambda: any(e.event == "ready" for e in caller.events))
        yield caller
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_S)
        if process.returncode is None:
            process.kill()
        await reading
