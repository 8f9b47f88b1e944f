"""What the tests of the stack share: a console to read, and a look at what still runs."""

import io
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from agent.dev.steps import Steps


@pytest.fixture
def console() -> Console:
    """A console whose text `shown` reads."""
    return Console(file=io.StringIO(), width=200)


@pytest.fixture
def steps(console: Console) -> Steps:
    return Steps(console)


@pytest.fixture
def shown(console: Console) -> Callable[[], str]:
    def text() -> str:
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    return text


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Makes a shell script that can be run, by path from the tmp_path."""

    def make(path: str, body: str) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
        return file

    return make


@pytest.fixture
def running() -> Callable[[Path], list[int]]:
    """The processes that have this path among their arguments."""

    def find(path: Path) -> list[int]:
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            words = process.info["cmdline"] or []
            if process.info["status"] != psutil.STATUS_ZOMBIE and any(str(path) in word for word in words):
                found.append(process.pid)
        return found

    return find
