"""Putting a message into its thread: stored first, then shown to everybody, in the same order."""

import asyncio
from collections import deque
from collections.abc import Callable

from agent.dev.chat.thread.messages import Message, NewMessage
from agent.dev.chat.thread.schema import StoreError
from agent.dev.chat.thread.store import ChatStore, Stored

MAX_GROUP = 100  # messages that are stored at once


class Posting:
    """The only writer of messages.

    What comes while the store is busy is stored in one go after it, so that a burst costs few transactions. A message
    that has been posted is also shown, though whoever posted it may be cancelled meanwhile.

    Args:
        store: keeps messages.
        show: shows a stored message to everybody in its thread.
    """

    def __init__(self, store: ChatStore, show: Callable[[Message], None]) -> None:
        self._store = store
        self._show = show
        self._queue: deque[tuple[NewMessage, asyncio.Future[Stored]]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def post(self, new: NewMessage) -> Stored:
        """Store and show a message; one that is stored already is only returned.

        Raises:
            StoreError: it was not stored.
        """
        stored: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._queue.append((new, stored))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_queue(), name="chat posting")
        return await stored

    async def close(self) -> None:
        """Wait until everything that was posted is stored; raises what kept it from being stored."""
        if self._writer is not None:
            await self._writer

    async def _write_queue(self) -> None:
        while self._queue:
            group = [self._queue.popleft() for _ in range(min(MAX_GROUP, len(self._queue)))]
            failure = StoreError("the message was not stored")
            try:
                results = await self._store.add_all([new for new, _ in group])
                for result, (_, stored) in zip(results, group, strict=True):
                    if result.is_new:
                        self._show(result.message)
                    if not stored.done():
                        stored.set_result(result)
            except StoreError as error:
                failure = error
            finally:
                for _, stored in group:  # whatever happened, nobody waits for ever
                    if not stored.done():
                        stored.set_exception(failure)
