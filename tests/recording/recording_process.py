"""A process that records in real time, until it is killed or its disk is full: `recording_process.py PATH LIMIT`."""

import asyncio
import resource
import sys
from pathlib import Path

from agent.recording.recorder import Recorder
from tests.recording.sound import tone

HEARING, SPEAKING = 16_000, 24_000


async def main(path: Path, limit: int) -> None:
    """Say `failed WHY` when it fails, and after that that the call goes on."""
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    recorder = Recorder(path, HEARING, SPEAKING, failed.set_result)
    recorder.start()
    left, right = tone(440, 0.1, HEARING), tone(880, 0.1, SPEAKING)
    while not failed.done():
        recorder.heard(left)
        recorder.spoken(0.0, right)
        await asyncio.sleep(0.1)
    print("failed", failed.result(), flush=True)  # noqa: T201 - for the test
    recorder.heard(left)
    print(await recorder.finish(), flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
