"""A model does one thing at a time, and what is due first comes first."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dev.models.due_first import DueFirstThread


class Model:
    """Does work in its thread, and keeps what it did; `held` keeps it busy meanwhile."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.waits: list[float] = []
        self.thread = DueFirstThread("model", self.waits.append)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """The model is at something that takes its time."""
        begun, released = threading.Event(), threading.Event()

        def hold() -> None:
            begun.set()
            released.wait(30)

        holding = asyncio.create_task(self.thread.run(0.0, hold))
        await asyncio.to_thread(begun.wait, 30)
        try:
            yield
        finally:
            released.set()
            await holding

    def ask(self, name: str, due: float) -> asyncio.Task[None]:
        """Have something done."""
        return asyncio.create_task(self.thread.run(due, self.done.append, name))


async def asked() -> None:
    """Let what was asked come to where it waits."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_what_is_due_first_comes_first() -> None:
    """Whoever asked later and needs it sooner does not wait for the others; the wait is told."""
    model = Model()
    async with model.held():
        tasks = [model.ask(name, due) for name, due in (("later", 3.0), ("soon", 1.0), ("soon too", 1.0), ("now", 0.5))]
        await asked()
    await asyncio.gather(*tasks)
    model.thread.close()
    assert model.done == ["now", "soon", "soon too", "later"]
    assert len(model.waits) == 5
    assert min(model.waits) >= 0


async def test_what_nobody_waits_for_any_more_is_not_done() -> None:
    """A caller who leaves costs the others nothing, and the next ones get their turn."""
    model = Model()
    async with model.held():
        gone, kept = model.ask("gone", 1.0), model.ask("kept", 2.0)
        await asked()
        gone.cancel()
    await kept
    with pytest.raises(asyncio.CancelledError):
        await gone
    model.thread.close()
    assert model.done == ["kept"]


async def test_an_error_is_that_of_whoever_asked() -> None:
    """The next one is served."""
    model = Model()
    with pytest.raises(ZeroDivisionError):
        await model.thread.run(0.0, lambda: 1 // 0)
    await model.ask("next", 0.0)
    model.thread.close()
    assert model.done == ["next"]


@given(st.lists(st.tuples(st.floats(0, 9), st.booleans()), max_size=12))
def test_all_who_stay_are_served_in_order_and_nobody_else(asks: list[tuple[float, bool]]) -> None:
    """Whoever leaves, and when: the thread is never left idle while somebody waits, nor given twice."""

    async def play() -> list[str]:
        model = Model()
        async with model.held():
            tasks = [model.ask(str(number), due) for number, (due, _) in enumerate(asks)]
            await asked()
            for task, (_, stays) in zip(tasks, asks, strict=True):
                if not stays:
                    task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await model.ask("last", 0.0)
        model.thread.close()
        return model.done

    staying = [number for number, (_, stays) in enumerate(asks) if stays]
    in_order = sorted(staying, key=lambda number: (asks[number][0], number))
    assert asyncio.run(play()) == [*map(str, in_order), "last"]
