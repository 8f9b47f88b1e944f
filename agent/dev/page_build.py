"""The playground page, built from its sources when they have changed."""

import hashlib
import os
import shutil
from pathlib import Path

from agent.dev.problems import StartError
from agent.dev.steps import StepFailed, Steps, file_lock
from agent.dev.toolchain import CACHE, NODE, ROOT, Toolchain, find_toolchain

PAGE = ROOT / "agent" / "dev" / "page"
NOT_SOURCES = {"node_modules", "dist", "dist.new", "dist.old", "coverage", ".vite", "test-results"}
INSTALLED = ".installed-lock"  # in node_modules: the hash of the package-lock.json that it was made of
BUILT = ".built-from"  # in dist: the hash of the sources that it was made of


async def build_page(steps: Steps, page: Path = PAGE, cache: Path = CACHE) -> Path:
    """Build the page if its sources have changed; returns the folder to serve.

    The new page takes the place of the old one only when it is whole.

    Raises:
        StartError: it cannot be built; the message says what to do.
    """
    dist = page / "dist"
    async with file_lock(cache / "page.lock"):
        wanted = source_hash(page)
        if _stamp(dist / BUILT) == wanted:
            return dist
        node = await find_toolchain(NODE, steps, cache)
        await _install(page, node, steps)
        await _npm(
            page, node, steps, "Building the page", "run", "build", "--", "--outDir", "dist.new", "--emptyOutDir"
        )
        (page / "dist.new" / BUILT).write_text(wanted)
        _swap(page / "dist.new", dist)
    return dist


async def check_page(steps: Steps, page: Path = PAGE, cache: Path = CACHE) -> None:
    """Type-check the page and run its unit tests, their output shown.

    Raises:
        StartError: a check fails.
    """
    async with file_lock(cache / "page.lock"):
        node = await find_toolchain(NODE, steps, cache)
        await _install(page, node, steps)
        for title, script in (("Checking the page's types", "typecheck"), ("Testing the page", "test")):
            await _npm(page, node, steps, title, "run", script, show=True)


def source_hash(page: Path) -> str:
    """A hash over the names and contents of the page's sources."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(page):
        folders[:] = sorted(name for name in folders if name not in NOT_SOURCES)
        for name in sorted(files):
            path = Path(folder) / name
            digest.update(f"{path.relative_to(page)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


async def _install(page: Path, node: Toolchain, steps: Steps) -> None:
    lock = page / "package-lock.json"
    if not lock.is_file():
        raise StartError(f"{lock} is missing: this is not a whole copy of the project, clone it again")
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = page / "node_modules" / INSTALLED
    if _stamp(stamp) == wanted:
        return
    await _npm(page, node, steps, "Installing the page's packages", "ci", "--no-audit", "--no-fund")
    stamp.write_text(wanted)


async def _npm(page: Path, node: Toolchain, steps: Steps, title: str, *arguments: str, show: bool = False) -> None:
    def shown(line: str) -> str:
        if show:
            steps.console.print(line, highlight=False, markup=False)
        return line

    env = {**node.environment(), "npm_config_update_notifier": "false", "CI": "true"}
    try:
        await steps.run(title, (node.folder / "npm", *arguments), cwd=page, env=env, detail=shown)
    except StepFailed as error:
        for line in () if show else error.lines:
            steps.console.print(line, highlight=False, markup=False)
        todo = {
            "ci": "check the network and start again",
            "run build": f"correct the sources in {page} (the lines above say what) and start again",
        }.get(" ".join(arguments[:2]) if arguments[0] == "run" else arguments[0], "correct what the lines above name")
        raise StartError(f"{title} failed ({error.reason}): {todo}") from None


def _swap(new: Path, dist: Path) -> None:
    old = dist.with_name("dist.old")
    shutil.rmtree(old, ignore_errors=True)
    if dist.exists():
        dist.rename(old)
    new.rename(dist)
    shutil.rmtree(old, ignore_errors=True)


def _stamp(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
