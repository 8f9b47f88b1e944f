"""Long steps of a first start (builds, downloads): run with progress in view, killed whole when cancelled."""

import asyncio
import contextlib
import fcntl
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from agent.dev.problems import StartError, one_line
from agent.dev.spawn import read_lines, spawn

KEPT_LINES = 40
NOTE_EVERY = 20.0  # seconds between the notes of a step when the output is no terminal


class StepFailed(StartError):
    """A command failed. `lines` are its last ones, `reason` the most telling of them."""

    def __init__(self, command: str, status: int, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        self.reason = one_line(_telling(self.lines) or f"exit status {status}")
        super().__init__(f"{command} failed: {self.reason}")


class Steps:
    """Shows the steps that run, several at once, with what each does now and for how long."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}", markup=True),
            console=console,
            transient=True,
        )

    def __enter__(self) -> "Steps":
        if self.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    async def run(
        self,
        title: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        detail: Callable[[str], str | None] = lambda line: line,
    ) -> None:
        """Run a command to its end.

        Args:
            title: what the step does, for the person who waits.
            command: program and arguments.
            env: its environment; by default that of this process.
            cwd: its folder; by default that of this process.
            detail: what to show of a line of its output; None leaves what is shown.

        Raises:
            StepFailed: the command cannot be run or ends with another status than 0.
        """
        started = time.monotonic()
        task = self._progress.add_task(title, total=None, detail="")
        notes = asyncio.create_task(self._note(title))
        shown = detail

        def on_line(line: str) -> None:
            if (text := shown(line)) is not None:
                self._progress.update(task, detail=one_line(text, 60).replace("[", r"\["))

        try:
            await run_command(command, env=env, cwd=cwd, on_line=on_line)
        finally:
            notes.cancel()
            self._progress.remove_task(task)
        self.console.print(f"{title}: done in {time.monotonic() - started:.0f} s", highlight=False, markup=False)

    async def _note(self, title: str) -> None:
        if self.console.is_terminal:
            return
        waited = 0.0
        self.console.print(f"{title} …", highlight=False, markup=False)
        while True:
            await asyncio.sleep(NOTE_EVERY)
            waited += NOTE_EVERY
            self.console.print(f"{title} … {waited:.0f} s", highlight=False, markup=False)


async def run_command(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] = lambda line: None,
) -> None:
    """Run a command in a session of its own; a cancelled one is killed with all that it started.

    Raises:
        StepFailed: it cannot be run or ends with another status than 0.
    """
    words = [str(word) for word in command]
    name = Path(words[0]).name
    try:
        child = await spawn(words, env=env, cwd=cwd)
    except OSError as error:
        raise StepFailed(name, 127, [f"{words[0]}: {error.strerror}"]) from None
    last: deque[str] = deque(maxlen=KEPT_LINES)

    async def read() -> None:
        async for line in read_lines(child.output):
            last.append(line)
            on_line(line)

    reading = asyncio.create_task(read())
    try:
        status = await child.process.wait()
    finally:
        child.signal_group(signal.SIGKILL)
        await child.process.wait()
        await asyncio.wait({reading}, timeout=1)  # what left the group may hold the output open
        reading.cancel()
        child.close()
    if status != 0:
        raise StepFailed(name, status, last)


@contextlib.asynccontextmanager
async def file_lock(path: Path, on_wait: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
    """Hold a lock that other processes see; it ends with this process however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        waiting = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    on_wait()
                waiting = True
                await asyncio.sleep(0.2)
        yield


def _telling(lines: Sequence[str]) -> str:
    """The last line that speaks of an error, else the last one."""
    for line in reversed(lines):
        if "error" in line.lower() or "fail" in line.lower() or "no such host" in line.lower():
            return line
    return lines[-1] if lines else ""
