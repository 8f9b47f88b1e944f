"""How long a model may take: until its first word or sound, and between two of them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeVar

from agent.models.failure import ModelFailed

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits in seconds.

    Attributes:
        first: until the first word or sound, or for the whole of what comes at once.
        stall: between two of them.
    """

    first: float
    stall: float

    def times(self, factor: float) -> "Patience":
        """The same, longer."""
        return Patience(self.first * factor, self.stall * factor)


async def in_time(
    items: AsyncIterator[Item], patience: Patience, counts: Callable[[Item], bool]
) -> AsyncGenerator[Item, None]:
    """The items as they come.

    Args:
        items: a stream of a model.
        patience: how long it may take.
        counts: whether an item is a word or a sound, and no mere sign of life.

    Raises:
        ModelFailed: one took too long (`timeout`, or `stalled` after the first).
    """
    loop = asyncio.get_running_loop()
    why, deadline = "timeout", loop.time() + patience.first
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                item = await anext(items)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ModelFailed(why) from None
        if counts(item):
            why, deadline = "stalled", loop.time() + patience.stall
        yield item
