"""Looks at the Python threads of processes from outside, with py-spy."""

import asyncio
import contextlib
from collections.abc import Collection
from pathlib import Path

from bench.latency.servers import BenchError
from bench.profile.stacks import Stack, parse_stacks
from bench.venvs import VenvSpec

PY_SPY = VenvSpec("py-spy", ("py-spy==0.4.3",))
# A thread of a call runs for 3 % of the time: so often it is seen three times a second.
RATE_HZ = 100
# py-spy reads the symbols of the program before it begins, and writes its file afterwards.
PATIENCE_S = 30.0


async def sample(python: Path, processes: Collection[int], seconds: float, folder: Path) -> list[Stack]:
    """What the Python threads of these processes do while they run, for a while.

    They are not stopped for it: now and then a stack is torn, which counts as what is left of it.

    Args:
        python: of the environment `PY_SPY`.
        processes: whose.
        seconds: for how long.
        folder: where files are written meanwhile.

    Raises:
        BenchError: py-spy may not look at them, or does not end.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            looks = [tasks.create_task(_sample_one(python, process, seconds, folder)) for process in processes]
    except* BenchError as errors:
        raise BenchError(str(errors.exceptions[0])) from None
    return [stack for look in looks for stack in look.result()]


async def _sample_one(python: Path, process: int, seconds: float, folder: Path) -> list[Stack]:
    found = folder / f"{process}.stacks"
    command = [
        *(str(python.parent / "py-spy"), "record", "--pid", str(process), "--duration", f"{seconds:.0f}"),
        *("--rate", str(RATE_HZ), "--nonblocking", "--threads", "--format", "raw", "--output", str(found)),
    ]
    spy = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(seconds + PATIENCE_S):
            said, _ = await spy.communicate()
    except TimeoutError:
        raise BenchError(f"py-spy does not end, {PATIENCE_S:.0f} s after it should have") from None
    finally:
        if spy.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                spy.kill()
            await spy.wait()
    if spy.returncode:
        raise BenchError(f"py-spy cannot look at process {process}: {said.decode(errors='replace').strip()[-400:]}")
    return list(parse_stacks(found.read_text(errors="replace").splitlines()))
