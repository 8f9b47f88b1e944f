"""The models server in its own process, as `python -m agent dev` starts it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.models.plain_http import send

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "agent", "serve", "models")
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class ModelsProcess:
    """A running server: where it listens, and what it has logged."""

    process: subprocess.Popen[bytes]
    log_file: Path
    port: int

    @property
    def base_url(self) -> str:
        """The base of its OpenAI API."""
        return f"http://127.0.0.1:{self.port}/v1"

    def log(self) -> str:
        """Everything that it has logged so far."""
        return self.log_file.read_text(errors="replace")


@contextmanager
def models_process(log_file: Path, env: Mapping[str, str] | None = None) -> Iterator[ModelsProcess]:
    """Start a server on a free port and wait until it listens; kill it at the end if it still runs."""
    # Everything is logged: what people say must not be there at any level.
    environment = {**os.environ, "MODELS_PORT": "0", "LOG_LEVEL": "DEBUG", **(env or {})}
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            COMMAND,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield ModelsProcess(process, log_file, _listening_port(process, log_file))
    finally:
        process.kill()
        process.wait()


def until_ready(server: ModelsProcess) -> None:
    """Wait until its models are loaded."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while send(server.port, "GET", "/healthz").status != 200:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)


def terminate(server: ModelsProcess) -> int:
    """Send SIGTERM; returns the exit status, and raises TimeoutExpired when it does not end."""
    server.process.send_signal(signal.SIGTERM)
    return server.process.wait(STOP_TIMEOUT_S)


def _listening_port(process: subprocess.Popen[bytes], log_file: Path) -> int:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        for connection in psutil.Process(process.pid).net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                return int(connection.laddr.port)
        time.sleep(0.05)
    raise RuntimeError(f"the server does not listen:\n{log_file.read_text(errors='replace')}")
