"""Inside of a process that is profiled: what each callback of its event loops, and each job of its pools, takes of CPU.

A profiler that looks from outside misses what is short: a frame of audio is dealt with in a tenth of a millisecond, and
over before its stack is read. So here the thread's own clock is read before and after each callback. That takes a few
microseconds, which the process measures, too. Nothing but the standard library: this is loaded before all else.
"""

import asyncio
import functools
import json
import os
import socket
import sys
import threading
import time
from asyncio.events import Handle
from collections.abc import Callable
from concurrent.futures import thread as pool
from contextvars import Context
from inspect import CO_COROUTINE
from pathlib import Path
from types import CodeType
from typing import Any

# The folder in which each process has a socket, called as its number, that gives what was spent so far.
SOCKETS = "BENCH_PROFILE_SOCKETS"

# What runs, from the outermost coroutine to the innermost: their codes, or the name of what has none.
Key = tuple[CodeType | str, ...]


# Nanoseconds, and how often, by what ran.
Work = dict[Key, list[int]]


class Meter:
    """Adds up; `metered` makes a method add to it."""

    def __init__(self) -> None:
        self._threads: dict[int, Work] = {}
        self._serving = False

    def restart(self) -> None:
        """In a process that was just forked: what its parent spent is not its own."""
        self._threads, self._serving = {}, False

    def metered(self, run: Callable[[Any], object], key_of: Callable[[Any], Key]) -> Callable[[Any], object]:
        """The method, metered.

        Args:
            run: the method.
            key_of: what an object of its class stands for.
        """

        @functools.wraps(run)
        def with_clock(item: Any) -> object:
            key = key_of(item)
            began = time.thread_time_ns()
            try:
                return run(item)
            finally:
                spent = time.thread_time_ns() - began
                # Only now a task that has just begun waits for what it is about.
                self._add(key_of(item) if _begins(key) else key, spent)

        return with_clock

    def _add(self, key: Key, spent_ns: int) -> None:
        if not self._serving:
            self._serve()
        work = self._threads.get(threading.get_ident())
        if work is None:
            work = self._threads.setdefault(threading.get_ident(), {})
        entry = work.get(key)
        if entry is None:
            work[key] = [spent_ns, 1]
        else:
            entry[0] += spent_ns
            entry[1] += 1

    def _serve(self) -> None:
        self._serving = True
        folder = os.environ.get(SOCKETS)
        if folder is not None:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(Path(folder) / str(os.getpid())))
            listener.listen()
            threading.Thread(target=self._answer, args=(listener,), name="meter", daemon=True).start()

    def _answer(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(json.dumps(self.snapshot()).encode())

    def snapshot(self) -> dict[str, Any]:
        """What every thread that lives has spent so far, and what metering took each time."""
        found = []
        for thread in threading.enumerate():
            work = self._threads.get(thread.ident or 0) or {}
            rows = [[_named(key), *entry] for key, entry in list(work.items())]
            found.append({"thread": thread.native_id, "name": thread.name, "work": rows})
        return {"threads": found, "metering_ns": metering_ns()}


def metering_ns() -> float:
    """What it takes to meter one callback, in nanoseconds of CPU."""
    meter, times = Meter(), 500
    meter._serving = True

    async def nothing() -> None:
        """A task's coroutine, never run."""

    coroutine = nothing()
    metered = meter.metered(lambda _: None, lambda _: _key_of_coroutine(coroutine))
    began = time.thread_time_ns()
    for _ in range(times):
        metered(None)
    spent = time.thread_time_ns() - began
    coroutine.close()
    return spent / times


def install() -> None:
    """Meter this process and those that it forks."""
    meter = Meter()
    # What the loop calls for each callback, and a thread of a pool for each job.
    called: tuple[tuple[Any, str, Callable[[Any], Key]], ...] = (
        (Handle, "_run", lambda handle: key_of_callback(handle._callback)),
        (pool._WorkItem, "run", lambda item: key_of_callback(item.fn)),
    )
    for owner, name, key_of in called:
        setattr(owner, name, meter.metered(getattr(owner, name), key_of))
    os.register_at_fork(after_in_child=meter.restart)


def key_of_callback(callback: Any) -> Key:
    """What a callback stands for: a task's coroutines, as far as they wait for each other, or a function."""
    while isinstance(callback, functools.partial):
        # asyncio.to_thread runs a function in a context.
        in_context = isinstance(getattr(callback.func, "__self__", None), Context) and callback.args
        callback = callback.args[0] if in_context else callback.func
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return _key_of_coroutine(owner.get_coro())
    code = getattr(getattr(callback, "__func__", callback), "__code__", None)
    if isinstance(code, CodeType):
        return (code,)
    kind = type(callback if owner is None else owner)
    return (f"{kind.__qualname__}.{getattr(callback, '__name__', '')} ({kind.__module__.replace('.', '/')})",)


def _begins(key: Key) -> bool:
    return len(key) == 1 and isinstance(key[0], CodeType) and bool(key[0].co_flags & CO_COROUTINE)


def _key_of_coroutine(coroutine: Any) -> Key:
    codes = []
    while coroutine is not None:
        code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
        if code is None:
            break
        codes.append(code)
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return tuple(codes)


def _named(key: Key) -> list[str]:
    return [part if isinstance(part, str) else f"{part.co_qualname} ({_short(part.co_filename)})" for part in key]


def _short(file: str) -> str:
    """A file's path from where it was imported on."""
    for folder in sorted((path for path in sys.path if path), key=len, reverse=True):
        if file.startswith(f"{folder}/"):
            return file[len(folder) + 1 :]
    return file
