"""What a changed file means for the running stack, and the watch for such changes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from watchfiles import awatch

ENV_NAME = ".env"
ALL = frozenset({"worker", "chat", "models"})
SKIPPED = {"__pycache__", "node_modules", "dist", "dist.new", "dist.old", "coverage", ".vite", "test-results"}
PAGE = ("agent", "dev", "page")
# The first that fits a path decides.
PYTHON_PARTS: tuple[tuple[tuple[str, ...], frozenset[str]], ...] = (
    (("agent", "dev", "models"), frozenset({"models"})),
    (("agent", "dev", "chat"), frozenset({"chat"})),
    (("agent", "dev", "secrets.py"), frozenset({"chat"})),
    (("agent", "dev"), frozenset()),  # the supervisor itself
    (("agent", "chat"), frozenset({"worker", "chat"})),
    (("agent", "settings.py"), ALL),
    (("agent", "cli.py"), ALL),
    (("agent",), frozenset({"worker"})),
    (("plugins",), frozenset({"worker"})),
)


@dataclass(frozen=True)
class Change:
    """Files that changed together and what that asks for.

    Attributes:
        paths: the files, relative to the project.
        restart: names of the processes to restart.
        page: whether the page is to be built again.
        supervisor: whether only a new `make dev` will use it.
        settings: whether `.env` changed.
        mistakes: syntax errors, as "agent/call/call.py, line 3: invalid syntax"; nothing is restarted then.
    """

    paths: tuple[str, ...]
    restart: frozenset[str] = frozenset()
    page: bool = False
    supervisor: bool = False
    settings: bool = False
    mistakes: tuple[str, ...] = ()


def meaning(paths: set[Path], root: Path) -> Change | None:
    """What these changed files (absolute) ask for; None when nothing."""
    changes = [change for path in sorted(paths) if (change := _one(path, path.relative_to(root))) is not None]
    if not changes:
        return None
    mistakes = tuple(mistake for change in changes for mistake in change.mistakes)
    restart = frozenset[str]().union(*(change.restart for change in changes))
    return Change(
        paths=tuple(name for change in changes for name in change.paths),
        restart=frozenset() if mistakes else restart,
        page=any(change.page for change in changes),
        supervisor=any(change.supervisor for change in changes),
        settings=any(change.settings for change in changes),
        mistakes=mistakes,
    )


def _one(path: Path, inside: Path) -> Change | None:
    parts, names = inside.parts, (str(inside),)
    if SKIPPED.intersection(parts):
        return None
    if parts[:3] == PAGE:
        return Change(names, page=True)
    if parts == (ENV_NAME,):
        return Change(names, restart=ALL, settings=True)
    if parts[0] == "profiles" and path.suffix in {".yaml", ".yml"}:
        return Change(names, restart=frozenset({"worker"}))
    part = next((part for prefix, part in PYTHON_PARTS if parts[: len(prefix)] == prefix), None)
    if path.suffix != ".py" or part is None:
        return None
    mistake = syntax_error(path)
    mistakes = (f"{inside}, {mistake}",) if mistake is not None else ()
    return Change(names, restart=part, supervisor=not part, mistakes=mistakes)


def syntax_error(path: Path) -> str | None:
    """Where a Python file cannot be compiled, e.g. "line 3: invalid syntax"; None when it can or is gone."""
    try:
        compile(path.read_bytes(), str(path), "exec")
    except FileNotFoundError:
        return None
    except (SyntaxError, ValueError) as error:  # ValueError: null bytes
        line = f"line {error.lineno}: " if isinstance(error, SyntaxError) else ""
        return f"{line}{error.msg if isinstance(error, SyntaxError) else error}"
    return None


async def watch(root: Path) -> AsyncIterator[Change]:
    """The changes to the project's sources, as they come."""
    while True:
        folders = watched_folders(root)
        async for changes in awatch(*folders, watch_filter=None, recursive=False):
            change = meaning({Path(path) for _, path in changes}, root)
            if change is not None:
                yield change
            if watched_folders(root) != folders:
                break  # a folder was made or removed: watch anew


def watched_folders(root: Path) -> tuple[Path, ...]:
    """The folders to watch, each for itself: node_modules alone would take thousands of watches otherwise."""
    found = [root]
    for top in ("agent", "plugins", "profiles"):
        waiting = [root / top]
        while waiting:
            folder = waiting.pop()
            if folder.is_dir() and folder.name not in SKIPPED:
                found.append(folder)
                waiting.extend(entry for entry in folder.iterdir() if entry.is_dir())
    return tuple(sorted(found))
