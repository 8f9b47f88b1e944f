"""Environments of their own for what is measured and is no dependency of the project; made once, kept in a cache."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PIPECAT = "pipecat-ai==1.14.0"
CACHE = Path(".cache/bench")


class VenvError(RuntimeError):
    """An environment cannot be made; the message says what pip said."""


@dataclass(frozen=True)
class VenvSpec:
    """What is in an environment.

    Attributes:
        name: its folder.
        packages: installed with what they need.
        alone: installed without what they need.
    """

    name: str
    packages: Sequence[str]
    alone: Sequence[str] = ()


# Smart Turn is an ONNX file inside pipecat's wheel; its features are computed with numpy.
SMART_TURN = VenvSpec("smart-turn", ("onnxruntime>=1.20", "numpy>=2.0"), (PIPECAT,))
PIPECAT_BOT = VenvSpec("pipecat", (PIPECAT.replace("==", "[livekit,openai,silero]=="),))


async def ensure_venv(spec: VenvSpec, cache: Path, say: Callable[[str], None]) -> Path:
    """The Python of an environment, which is made first if it is not there.

    Args:
        spec: what shall be in it.
        cache: the folder of all environments.
        say: told what takes time.

    Raises:
        VenvError: it cannot be made, without a network for instance.
    """
    folder = await asyncio.to_thread((cache / spec.name).absolute)
    python = folder / "bin" / "python"
    made = folder / "made-with"
    wanted = "\n".join([*spec.packages, *spec.alone])
    if made.is_file() and made.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    say(f"making an environment with {', '.join([*spec.packages, *spec.alone])} (once)")
    await _run([sys.executable, "-m", "venv", str(folder)])
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    await _run([*install, *spec.packages])
    if spec.alone:
        await _run([*install, "--no-deps", *spec.alone])
    made.write_text(wanted)
    return python


async def _run(command: Sequence[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise VenvError(f"{' '.join(command[1:4])} failed: {output.decode(errors='replace').strip()[-600:]}")
