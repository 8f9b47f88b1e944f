"""Time that jumps: an event loop for `--fast` in which nobody waits, and which does the same thing each time.

livekit-agents knows time from two places: timers of the event loop, and `time.time`, `time.monotonic` and
`time.perf_counter`. Here both come from one `VirtualClock`:

- When no callback is ready, the loop does not sleep: the clock jumps to the next timer.
- While code runs, the clock stands still, so that the speed of the machine changes nothing.
- A job for a thread (`run_in_executor`, `asyncio.to_thread`) is waited for at once. It takes no virtual time, and two
  jobs end in the order in which they began. What should take time says so with `asyncio.sleep`, as the models do in
  `stated_models`.
- No sockets: an answer from outside comes when it comes. What talks to one runs in a thread, as a job does.

Every run begins at the same moment, so that not even the rounding of floats differs. Other threads keep real time.

`time.time` is often bound early (`default_factory=time.time`), so `install` must run before livekit-agents is imported;
`run` checks that. The functions that it puts in place give real time whenever no virtual clock runs.
"""

import asyncio
import importlib
import selectors
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

BEGIN_S: Final = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
# A monotonic clock may begin anywhere, but 0 is taken for "never" here and there.
MONOTONIC_BEGIN_S: Final = 1000.0
# With no timer left only another thread can make something happen, and none has work for longer than this.
STALLED_S: Final = 30.0

Result = TypeVar("Result")

_real_time = time.time
_real = {
    name: getattr(time, name)
    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")
}
_running: "VirtualClock | None" = None


class VirtualClock:
    """Seconds that pass only when somebody says so; it counts for the thread that made it."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.thread = threading.get_ident()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.elapsed += float(seconds)  # a timer may have been given NumPy's

    def monotonic(self) -> float:
        """What `time.monotonic` and `time.perf_counter` are."""
        return MONOTONIC_BEGIN_S + self.elapsed

    def read(self, name: str) -> float | int:
        """What the function of this name in the module `time` is."""
        seconds = BEGIN_S + self.elapsed if name.startswith("time") else self.monotonic()
        return round(seconds * 1e9) if name.endswith("_ns") else seconds


class Stalled(RuntimeError):
    """Everything waits for something that no timer will bring: in real time it would wait for ever."""


class _JumpingSelector(selectors.DefaultSelector):
    """Where a loop sleeps: instead, the clock jumps by as much."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0 if timeout is not None else STALLED_S)
        if not ready and timeout is None:
            raise Stalled("nothing is left to happen: everything waits, and no timer runs")
        if not ready and timeout is not None and timeout > 0:
            self._clock.advance(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a clock's.

    Args:
        clock: the clock.
    """

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(_JumpingSelector(clock))
        self._clock = clock
        self._workers = ThreadPoolExecutor(thread_name_prefix="replay")

    def time(self) -> float:
        """The clock's time; see `asyncio.loop.time`."""
        return self._clock.monotonic()

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Result], *args: Any
    ) -> "asyncio.Future[Result]":
        """Run a job in its thread and wait for it, here and now; returns a future that is done."""
        job = (executor or self._workers).submit(func, *args)
        done: asyncio.Future[Result] = self.create_future()
        if (error := job.exception()) is not None:
            done.set_exception(error)
        else:
            done.set_result(job.result())
        return done

    def close(self) -> None:
        """Close the loop and its threads."""
        self._workers.shutdown()
        super().close()


def install() -> None:
    """Make the functions of `time` follow the virtual clock whenever one runs; before livekit-agents is imported."""
    for name, real in _real.items():
        if getattr(time, name) is real:
            setattr(time, name, _following(name, real))


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end in virtual time, as `asyncio.run` does in real time.

    Raises:
        RuntimeError: `install` was not called, or only after livekit-agents had been imported.
        Stalled: the coroutine waits for something that never happens.
    """
    global _running
    _require_installed()
    clock = VirtualClock()
    _running = clock
    try:
        with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(clock)) as runner:
            return runner.run(main)
    finally:
        _running = None


def now() -> float:
    """The seconds since the epoch in the virtual time that runs, in whatever thread; in real time when none does."""
    return _real_time() if _running is None else float(_running.read("time"))


def _following(name: str, real: Callable[[], float | int]) -> Callable[[], float | int]:
    def following() -> float | int:
        clock = _running
        return real() if clock is None or clock.thread != threading.get_ident() else clock.read(name)

    following.__name__ = name
    return following


def _require_installed() -> None:
    if time.time is _real_time:
        raise RuntimeError("virtual time is not installed")
    llm = importlib.import_module("livekit.agents.llm")
    if llm.ChatMessage.model_fields["created_at"].default_factory is not time.time:
        raise RuntimeError("virtual time was installed after livekit-agents had been imported")
