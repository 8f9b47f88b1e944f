"""The child processes of the development stack: started, watched, restarted and ended with all that they start.

Each child leads a session of its own, so that one signal reaches it and its children, and a Ctrl-C of the terminal
reaches only the supervisor, which ends them in order.
"""

import asyncio
import contextlib
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.text import Text

from agent.dev.problems import StartError, one_line
from agent.dev.spawn import Child, read_lines, spawn

KEPT_LINES = 12
POLL = 0.1  # seconds between health checks while a child starts
RESTART_DELAYS = (0.5, 1.0, 2.0, 4.0)  # seconds before each restart; one more death soon after gives up
STEADY = 30.0  # seconds of life after which earlier deaths are forgotten


@dataclass(frozen=True)
class ProcessSpec:
    """How to run one child.

    Attributes:
        name: what people call it.
        command: program and arguments; secrets belong in `env`, as arguments can be read by everybody.
        env: its whole environment.
        health_url: answers 200 once the child is ready.
        grace: seconds between SIGTERM and SIGKILL.
        colour: of its name before the lines of its output.
        ready_within: seconds that its start may take.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    health_url: str
    grace: float = 3.0
    colour: str = "cyan"
    ready_within: float = 60.0


class Reaper:
    """Ends children whose supervisor was killed; see `agent/dev/reaper.py`."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; it ends with this process."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(Path(__file__).with_name("reaper.py")),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )

    def add(self, group: int) -> None:
        """End this process group if the supervisor dies."""
        self._tell(f"+{group}\n")

    def discard(self, group: int) -> None:
        """This process group has ended."""
        self._tell(f"-{group}\n")

    async def close(self) -> None:
        """Let it end what is left, which is nothing after an orderly end."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    def _tell(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(line.encode())


class ManagedProcess:
    """One child: `run` owns it from start to end; `restart` and `stop` tell `run` what to do.

    Args:
        spec: how to run it.
        console: where the lines of its output go.
        reaper: is told of each process group.
        width: of the longest name, for straight columns.
    """

    def __init__(self, spec: ProcessSpec, console: Console, reaper: Reaper, width: int = 0) -> None:
        self.spec = spec
        self.ready = asyncio.Event()
        self.starts = 0
        self._console = console
        self._reaper = reaper
        self._prefix = Text(f"{spec.name:<{width}} │ ", style=spec.colour)
        self._child: Child | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.process.pid if self._child is not None else None

    def restart(self) -> None:
        """End the child and start it anew, also one that had been given up."""
        self._wake.set()

    def stop(self) -> None:
        """End the child; `run` returns when it has ended."""
        self._stopping = True
        self._wake.set()

    def kill(self) -> None:
        """End the child and all that it started at once."""
        self.stop()
        if self._child is not None:
            self._child.signal_group(signal.SIGKILL)

    async def run(self) -> None:
        """Keep the child running until `stop`.

        Raises:
            StartError: it ended, or was not ready in time, before it was ready for the first time.
        """
        deaths = 0
        while not self._stopping:
            self._wake.clear()
            started = time.monotonic()
            died = await self._live()
            if not died:
                deaths = 0
                continue
            deaths = 1 if time.monotonic() - started > STEADY else deaths + 1
            if deaths > len(RESTART_DELAYS):
                self._say(f"{died}; given up: correct it and save a file to start it again", "bold red")
                await self._wake.wait()
                deaths = 0
            else:
                delay = RESTART_DELAYS[deaths - 1]
                self._say(f"{died}; starting it again in {delay:g} s", "bold red")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), delay)

    async def _live(self) -> str:
        """One life: returns "" when it was ended on purpose, else how it died."""
        child = await self._start()
        output = asyncio.create_task(self._relay(child))
        exited = asyncio.create_task(child.process.wait())
        woken = asyncio.create_task(self._wake.wait())
        health = asyncio.create_task(self._until_ready())
        died = ""
        try:
            await asyncio.wait({exited, woken, health}, return_when=asyncio.FIRST_COMPLETED)
            if health.done() and not health.result() and not exited.done() and not woken.done():
                died = f"was not ready within {self.spec.ready_within:g} s"
            else:
                await asyncio.wait({exited, woken}, return_when=asyncio.FIRST_COMPLETED)
            if exited.done() and not woken.done():
                died = _how(exited.result())
        finally:
            health.cancel()
            woken.cancel()
            was_ready = self.ready.is_set()
            self.ready.clear()
            await self._end(child, exited)
            with contextlib.suppress(TimeoutError):  # a grandchild outside the group may hold the pipe
                await asyncio.wait_for(output, 1)
            child.close()
        if died and not was_ready and self.starts == 1:
            last = one_line(self._lines[-1]) if self._lines else "it said nothing"
            raise StartError(f"{self.spec.name} did not start ({died}): {last}")
        return died

    async def _start(self) -> Child:
        self._lines.clear()
        self.starts += 1
        try:
            child = await spawn(self.spec.command, env=self.spec.env)
        except OSError as error:
            raise StartError(f"{self.spec.name} cannot be run: {self.spec.command[0]}: {error.strerror}") from None
        self._reaper.add(child.process.pid)
        self._child = child
        return child

    async def _end(self, child: Child, exited: "asyncio.Task[int]") -> None:
        """End the child: SIGTERM, its grace, then SIGKILL for it and whatever it left behind in its group."""
        try:
            if not exited.done():
                # Only the child: it ends its own children in its order, and a forkserver would die of the signal.
                with contextlib.suppress(ProcessLookupError):
                    child.process.terminate()
                await asyncio.wait({exited}, timeout=self.spec.grace)
        finally:
            child.signal_group(signal.SIGKILL)
            await exited
            self._reaper.discard(child.process.pid)
            self._child = None

    async def _relay(self, child: Child) -> None:
        async for line in read_lines(child.output):
            text = Text.from_ansi(line)
            self._lines.append(text.plain)
            self._console.print(Text.assemble(self._prefix, text), soft_wrap=True)

    async def _until_ready(self) -> bool:
        try:
            async with asyncio.timeout(self.spec.ready_within):
                await _until_healthy(self.spec.health_url)
        except TimeoutError:
            return False
        self.ready.set()
        if self.starts > 1:
            self._say("ready again", "bold green")
        return True

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text.assemble(self._prefix, Text(text, style=style)), soft_wrap=True)


async def _until_healthy(url: str) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(POLL)


def _how(status: int) -> str:
    return f"ended with status {status}" if status >= 0 else f"was ended by {signal.Signals(-status).name}"
