"""Time that jumps: the event loop, the functions of `time`, and jobs in threads."""

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.replay import virtual_time
from agent.replay.virtual_time import BEGIN_S, Stalled, VirtualClock

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.usefixtures("jumping_time")


def test_an_hour_passes_in_no_time_and_all_clocks_agree() -> None:
    """Nobody waits; every way to ask for the time gives the same answer."""

    async def main() -> list[float]:
        before = [time.time(), time.monotonic(), time.perf_counter(), asyncio.get_running_loop().time()]
        before += [time.time_ns() / 1e9, time.monotonic_ns() / 1e9]
        await asyncio.sleep(3600)
        after = [time.time(), time.monotonic(), time.perf_counter(), asyncio.get_running_loop().time()]
        after += [time.time_ns() / 1e9, time.monotonic_ns() / 1e9]
        return [b - a for a, b in zip(before, after, strict=True)]

    began = time.monotonic()
    assert virtual_time.run(main()) == pytest.approx([3600.0] * 6)
    assert time.monotonic() - began < 60


def test_each_run_begins_at_the_same_moment() -> None:
    """Not even the rounding of floats differs between two runs."""

    async def main() -> float:
        return time.time()

    assert [virtual_time.run(main()), virtual_time.run(main())] == [BEGIN_S, BEGIN_S]


def test_time_stands_still_while_code_runs() -> None:
    """However slow the machine is."""

    async def main() -> float:
        before = time.monotonic()
        sum(range(1_000_000))
        return time.monotonic() - before

    assert virtual_time.run(main()) == 0.0


def test_timers_come_in_their_order_and_time_outs_work() -> None:
    """What asyncio promises in real time holds here."""

    async def main() -> tuple[list[int], float]:
        came: list[int] = []

        async def come(after: int) -> None:
            await asyncio.sleep(after)
            came.append(after)

        await asyncio.gather(*(come(after) for after in (3, 1, 2)))
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        return came, time.monotonic() - began

    assert virtual_time.run(main()) == ([1, 2, 3], 5.0)


def test_jobs_in_threads_end_in_the_order_in_which_they_began_and_take_no_time() -> None:
    """The slow one first: in real time it would come last."""

    async def main() -> tuple[list[str], float]:
        ended: list[str] = []
        slow = threading.Event()

        async def job(name: str, seconds: float) -> None:
            await asyncio.to_thread(slow.wait, seconds)
            ended.append(name)

        began = time.monotonic()
        await asyncio.gather(job("slow", 0.2), job("fast", 0.0))
        return ended, time.monotonic() - began

    assert virtual_time.run(main()) == (["slow", "fast"], 0.0)


def test_what_a_job_raises_arrives() -> None:
    """An error in a thread is the error of whoever waits for it."""

    async def main() -> None:
        await asyncio.to_thread(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        virtual_time.run(main())


def test_other_threads_keep_real_time_and_can_ask_for_the_virtual_one() -> None:
    """A model's time-outs are real; who is asked what time it is says the call's."""

    async def main() -> tuple[float, float]:
        await asyncio.sleep(100)
        return await asyncio.to_thread(time.time), await asyncio.to_thread(virtual_time.now)

    real, virtual = virtual_time.run(main())
    assert abs(real - time.time()) < 60
    assert virtual == BEGIN_S + 100


def test_what_would_wait_for_ever_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay that hangs says so instead of hanging."""
    monkeypatch.setattr(virtual_time, "STALLED_S", 0.2)

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stalled):
        virtual_time.run(main())


def test_afterwards_time_is_real_again() -> None:
    """Also after an error."""
    with pytest.raises(ZeroDivisionError):
        virtual_time.run(_fail())
    assert abs(time.time() - virtual_time.now()) < 60
    assert time.time() != BEGIN_S


async def _fail() -> None:
    raise ZeroDivisionError


def test_a_clock_counts_nanoseconds_as_well() -> None:
    """`time_ns` and its like are whole numbers."""
    clock = VirtualClock()
    clock.advance(1.5)
    assert clock.read("time_ns") == round((BEGIN_S + 1.5) * 1e9)
    assert clock.read("perf_counter") == clock.monotonic()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import livekit.agents; virtual_time.install()", "after livekit-agents had been imported"),
        ("pass", "not installed"),
    ],
)
def test_too_late_is_an_error(program: str, message: str) -> None:
    """Times that livekit-agents took hold of before would be real ones among virtual ones."""
    script = (
        "from agent.replay import virtual_time\n"
        f"{program}\n"
        "async def main(): pass\n"
        "work = main()\n"
        "try: virtual_time.run(work)\n"
        "finally: work.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert message in done.stderr
