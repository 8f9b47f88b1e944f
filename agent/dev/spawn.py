"""Start a child process that leads a session of its own, and read what it and its children write."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CHUNK = 65536
LINE_LIMIT = 4000  # characters of a line that are kept


@dataclass(frozen=True)
class Child:
    """A child that was started.

    Attributes:
        process: to wait for; unlike with asyncio's own pipes it ends when the child does, though a grandchild may
            still hold the output open.
        output: standard output and error together.
    """

    process: asyncio.subprocess.Process
    output: asyncio.StreamReader
    _transport: asyncio.ReadTransport

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the child and to all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, for zombies alone
            os.killpg(self.process.pid, number)

    def close(self) -> None:
        """Let go of the output."""
        self._transport.close()


async def spawn(command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Child:
    """Start a command without input; raises OSError when it cannot be run."""
    read_end, write_end = os.pipe()
    output = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(output), os.fdopen(read_end, "rb", buffering=0)
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=env,
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=write_end,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except BaseException:
        transport.close()
        raise
    finally:
        os.close(write_end)
    return Child(process, output, transport)


async def read_lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of a stream without their ends, however long they are; each is cut at LINE_LIMIT characters."""
    rest = b""
    while chunk := await stream.read(CHUNK):
        *lines, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            if text := line.decode(errors="replace").rstrip():
                yield text[:LINE_LIMIT]
        rest = rest[-4 * LINE_LIMIT :]
    if text := rest.decode(errors="replace").rstrip():
        yield text[:LINE_LIMIT]
