"""One thread for a model that can do one thing at a time; of what waits for it, what is due first comes first."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class DueFirstThread:
    """Does pieces of work in a thread, one at a time, ordered by when somebody needs them.

    Args:
        name: of the thread.
        waited: told for each piece how many seconds it waited for its turn.
    """

    def __init__(self, name: str, waited: Callable[[float], None] = lambda _: None) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waited = waited
        self._busy = False
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    async def run(
        self, due: float, work: Callable[Arguments, Result], *args: Arguments.args, **_: Arguments.kwargs
    ) -> Result:
        """Do one piece of work; cancelled while it waits, it is never begun.

        Args:
            due: when it is needed, in seconds of the event loop's clock. What is due at the same time is done in turn.
            work: what to do, in the thread.
            args: for `work`.
        """
        loop, asked_at = asyncio.get_running_loop(), time.monotonic()
        if self._busy:
            await self._turn(loop, due)
        self._busy = True
        self._waited(time.monotonic() - asked_at)
        try:
            return await loop.run_in_executor(self._executor, work, *args)
        finally:
            self._pass_on()

    def close(self) -> None:
        """Let the piece that is being done finish, and begin no other."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    async def _turn(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        turn = loop.create_future()
        heapq.heappush(self._waiting, (due, next(self._count), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # it was given the turn in the same moment
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False
