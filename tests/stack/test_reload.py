"""Reload: what a changed file restarts, and that changes are seen."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.dev.reload import ALL, Change, meaning, watch


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("agent/chat", "agent/dev/chat", "agent/dev/models", "agent/dev/page/src", "plugins", "profiles"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def write(project: Path, name: str, text: str = "x = 1\n") -> Path:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "restarted"),
    [
        ("agent/call/call.py", {"worker"}),
        ("plugins/chat_brain.py", {"worker"}),
        ("agent/chat/protocol.py", {"worker", "chat"}),
        ("agent/dev/chat/app.py", {"chat"}),
        ("agent/dev/models/server.py", {"models"}),
        ("agent/settings.py", ALL),
        (".env", ALL),
        ("profiles/sales.yaml", {"worker"}),
        ("agent/dev/stack.py", set()),
        ("agent/dev/page/src/App.tsx", set()),
    ],
)
def test_a_change_restarts_what_uses_the_file(project: Path, name: str, restarted: set[str]) -> None:
    """No more than what uses it, so that a call is not ended for nothing."""
    change = meaning({write(project, name)}, project)
    assert change is not None
    assert change.restart == restarted
    assert change.page == (name.endswith(".tsx"))
    assert change.supervisor == (name == "agent/dev/stack.py")


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "tests/unit/test_x.py",
        "agent/__pycache__/call.py",
        "agent/dev/page/node_modules/a/b.js",
        "agent/a.txt",
    ],
)
def test_other_files_mean_nothing(project: Path, name: str) -> None:
    """Caches, packages and documents restart nothing."""
    assert meaning({write(project, name)}, project) is None


def test_a_syntax_error_restarts_nothing_and_is_shown(project: Path) -> None:
    """The running worker goes on until the file can be read again."""
    good, bad = write(project, "agent/a.py"), write(project, "agent/b.py", "def f(:\n")
    assert meaning({good, bad}, project) == Change(
        paths=("agent/a.py", "agent/b.py"), mistakes=("agent/b.py, line 1: invalid syntax",)
    )


def test_a_removed_file_counts_as_a_change(project: Path) -> None:
    """The worker may still hold what is gone."""
    change = meaning({project / "agent" / "gone.py"}, project)
    assert change is not None
    assert change.restart == {"worker"}


async def test_changes_are_seen_in_new_folders_too(project: Path) -> None:
    """A file that is saved is noticed; so is one in a folder that was made after the start."""
    changes = watch(project)
    assert isinstance(changes, AsyncIterator)
    async with asyncio.timeout(30):
        assert (await _seen(changes, project, "agent/call/call.py")).restart == {"worker"}
        (project / "agent" / "parts").mkdir()
        assert (await _seen(changes, project, "agent/parts/new.py")).restart == {"worker"}


async def _seen(changes: AsyncIterator[Change], project: Path, name: str) -> Change:
    """The first change that holds this file, which is saved until it is noticed."""
    waiting = asyncio.ensure_future(anext(changes))
    while True:
        write(project, name)
        await asyncio.wait({waiting}, timeout=0.3)
        if waiting.done():
            change = waiting.result()
            if name in change.paths:
                return change
            waiting = asyncio.ensure_future(anext(changes))
