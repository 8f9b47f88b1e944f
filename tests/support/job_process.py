"""A job process as a worker has them, without a room: what is said comes as lines, what the thread tells goes out.

    async with JobProcess.started(config) as job:
        await job.say(turns)
        await job.until(lambda: turns[0].id in job.delivered)
        await job.kill()

In the process are the worker's own journal, conversation and bridge (see `SpokenCall`).
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import SecretStr

from agent.chat.bridge import Role
from agent.chat.dialect import dialect_named
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import MAX_FRAME_BYTES
from agent.journal.opening import open_for_call
from agent.turns import Turn
from agent.websocket import Backoff, Options
from tests.support.spoken_call import SpokenCall

ROOT = Path(__file__).parents[2]
MAX_LINE = 16 * 1024 * 1024


@dataclass(frozen=True)
class JobConfig:
    """One job.

    Args:
        data_dir: where the host's journal is.
        chat: the base of the chat API.
        token: the worker's token.
        conversation: the thread.
        call_id: the call.
        dialect: how the chat server speaks.
        first_pause, longest_pause: seconds between attempts to connect, doubling from one to the other.
        attempts: how many of them.
        asks: whether the chat's own backend answers what the user says.
    """

    data_dir: str
    chat: str
    token: str
    conversation: str
    call_id: str
    dialect: Literal["guide", "unpod"] = "guide"
    first_pause: float = 1.0
    longest_pause: float = 30.0
    attempts: int = 10
    asks: bool = False


class JobProcess:
    """A running job; `delivered`, `told` and `read` are what it was told, `lost` whether it gave the chat up."""

    def __init__(self, config: JobConfig, process: asyncio.subprocess.Process) -> None:
        self.config = config
        self.process = process
        self.read: list[str] | None = None
        self.told: list[str] = []
        self.delivered: list[str] = []
        self.lost = False
        self.ended = False
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read_events())

    @classmethod
    @asynccontextmanager
    async def started(cls, config: JobConfig) -> AsyncIterator["JobProcess"]:
        """Start it; it is killed at the end of the block, unless it has ended."""
        job = await cls.start(config)
        try:
            yield job
        finally:
            await job.kill()

    @classmethod
    async def start(cls, config: JobConfig, log: IO[bytes] | None = None) -> "JobProcess":
        """Start it, with its log in a file if there is one; whoever does so ends it."""
        pipe, command = asyncio.subprocess.PIPE, (sys.executable, "-m", "tests.support.job_process")
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=log, limit=MAX_LINE
        )
        job = cls(config, process)
        await job._tell(asdict(config))
        return job

    async def say(self, turns: Sequence[Turn]) -> None:
        """Somebody says something in the call; nothing happens when the process is gone."""
        await self._tell({"say": [turn.to_json() for turn in turns]})

    async def until(self, true: Callable[[], bool], timeout: float = 60.0) -> None:
        """Wait until something is so of what it was told; fails when the process is gone before."""
        async with asyncio.timeout(timeout):
            while not true():
                assert not self._reading.done(), "the job process has ended"
                self._changed.clear()
                await self._changed.wait()

    async def end(self, timeout: float = 30.0) -> None:
        """The call ends as calls do, and the process with it."""
        await self._tell({"end": True})
        async with asyncio.timeout(timeout):
            await self._reading
            status = await self.process.wait()
        assert (status, self.ended) == (0, True), f"the job process ended with {status}"

    async def kill(self) -> None:
        """SIGKILL, unless it has ended."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reading

    async def _tell(self, line: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(line).encode() + b"\n")
            await self.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # killed

    async def _read_events(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if not line.endswith(b"\n"):
                break  # killed while it wrote
            match json.loads(line):
                case {"read": texts}:
                    self.read = texts
                case {"told": text}:
                    self.told.append(text)
                case {"delivered": turn_id}:
                    self.delivered.append(turn_id)
                case {"lost": True}:
                    self.lost = True
                case {"ended": True}:
                    self.ended = True
            self._changed.set()
        self._changed.set()


class _ReportingCall(SpokenCall):
    """A call that says on standard output what it is told."""

    def thread_read(self, messages: list[Any]) -> None:
        super().thread_read(messages)
        _report({"read": [message.text for message in messages]})

    def thread_message(self, message: Any) -> None:
        before = len(self.told)
        super().thread_message(message)
        if len(self.told) > before:
            _report({"told": message.text})

    def thread_lost(self) -> None:
        super().thread_lost()
        _report({"lost": True})

    def turn_delivered(self, delivered: Any) -> None:
        super().turn_delivered(delivered)
        _report({"delivered": delivered.turn_id})


def _report(event: dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)  # noqa: T201 - for whoever started this process


async def run_job(config: JobConfig, lines: asyncio.StreamReader) -> None:
    """One call, until its end is said or standard input closes."""
    options = Options(
        max_size=MAX_FRAME_BYTES,
        reconnect_interval=Backoff(config.first_pause, config.longest_pause),
        reconnect_attempts=config.attempts,
    )
    endpoint = ChatEndpoint(config.chat, config.conversation, "", SecretStr(config.token), "agent")
    with open_for_call(Path(config.data_dir)) as journal:
        dialect, role = dialect_named(config.dialect), Role.ASKS if config.asks else Role.ANSWERS
        call = _ReportingCall(journal, config.call_id, endpoint, dialect, role=role, options=options)
        await call.start()
        async for line in lines:
            match json.loads(line):
                case {"say": turns}:
                    call.say(*map(Turn.from_json, turns))
                case {"end": True}:
                    break
        await call.end()
    _report({"ended": True})


async def _main() -> None:
    lines = asyncio.StreamReader(limit=MAX_LINE)
    protocol = asyncio.StreamReaderProtocol(lines)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    await run_job(JobConfig(**json.loads(await lines.readline())), lines)


if __name__ == "__main__":
    asyncio.run(_main())
