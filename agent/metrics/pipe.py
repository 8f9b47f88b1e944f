"""How the samples of a job process reach its worker: lines of JSON through a Unix socket that never makes anybody wait.

What does not fit into the socket's buffer is dropped and counted: metrics must not hold up audio. A process that is
killed loses nothing that it had sent, and the end of its connection tells that its call is over.
"""

import asyncio
import json
import logging
import os
import socket
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.metrics.catalogue import CALLS_ENDED, CALLS_STARTED, SAMPLES_LOST
from agent.metrics.instrument import Sample, send_samples_to
from agent.metrics.registry import Registry, SampleError

logger = logging.getLogger("agent.metrics")

SOCKET_VARIABLE = "VOICE_AGENT_METRICS_SOCKET"
CONNECT_TIMEOUT_S = 2.0
MAX_LINE_BYTES = 4096


class SampleReceiver(AbstractAsyncContextManager["SampleReceiver"]):
    """The worker's end: adds up what job processes send while it is entered.

    The processes find it by the environment, which they inherit.

    Args:
        registry: where samples are added up.

    Raises:
        OSError: on entering, when the folder for temporary files cannot be used for a socket.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._readers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="voice-agent-")  # for this user alone
        path = Path(self._folder.name) / "metrics"
        try:
            self._server = await asyncio.start_unix_server(self._accept, path, limit=MAX_LINE_BYTES)
        except BaseException:
            self._folder.cleanup()
            raise
        os.environ[SOCKET_VARIABLE] = str(path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.environ.pop(SOCKET_VARIABLE, None)
        self._server.close()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        await self._server.wait_closed()
        self._folder.cleanup()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._receive(reader, writer), name="samples")
        self._readers.add(task)
        task.add_done_callback(self._readers.discard)

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Add up what one process sends; a call that it began and did not end was killed with it."""
        calls = 0
        try:
            while line := await reader.readline():
                sample = self._add(line)
                if sample is not None:
                    calls += (sample.metric == CALLS_STARTED.name) - (sample.metric == CALLS_ENDED.name)
        except (ConnectionError, ValueError):  # ValueError: a line that is too long
            self._registry.add(SAMPLES_LOST.sample(1, {"why": "unreadable"}))
        finally:
            writer.close()
        if calls > 0:
            self._registry.add(CALLS_ENDED.sample(calls, {"reason": "killed"}))

    def _add(self, line: bytes) -> Sample | None:
        try:
            sample = decode(line)
            self._registry.add(sample)
        except SampleError as error:
            logger.warning("a sample of a metric was refused: %s", error)
            self._registry.add(SAMPLES_LOST.sample(1, {"why": "unreadable"}))
            return None
        return sample


class SampleSender:
    """A job process's end.

    Args:
        path: the worker's socket.

    Raises:
        OSError: the worker does not listen there.
    """

    def __init__(self, path: str) -> None:
        self._lost = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(CONNECT_TIMEOUT_S)
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)

    def send(self, sample: Sample) -> None:
        """Send a sample, or count it as lost; returns at once."""
        lines = encode(sample)
        if self._lost:
            lines = encode(SAMPLES_LOST.sample(self._lost, {"why": "full"})) + lines
        try:
            sent = self._socket.send(lines)
        except OSError:  # it is full, or the worker is gone
            self._lost += 1
            return
        self._lost = 0
        if sent < len(lines):  # what would follow could not be read any more
            self._socket.close()

    def close(self) -> None:
        """Send nothing more."""
        self._socket.close()


def send_samples_to_worker() -> None:
    """In a job process: from now on samples go to the worker that started it."""
    path = os.environ.get(SOCKET_VARIABLE)
    if path is None:
        return
    try:
        send_samples_to(SampleSender(path).send)
    except OSError as error:
        logger.error("the metrics of this process are lost: %s", error.strerror)


def encode(sample: Sample) -> bytes:
    """One line."""
    return json.dumps([sample.metric, sample.value, dict(sample.labels)], separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Sample:
    """The inverse of `encode`.

    Raises:
        SampleError: the line is something else.
    """
    try:
        metric, value, labels = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        raise SampleError("not a line of a sample") from None
    if not (isinstance(metric, str) and isinstance(value, int | float) and isinstance(labels, dict)):
        raise SampleError("not a line of a sample")
    if not all(isinstance(v, str) for v in labels.values()):
        raise SampleError("not a line of a sample")
    return Sample(metric, float(value), labels)
