"""Streams of values for any number of readers, each with a bounded buffer of its own."""

import asyncio
import weakref
from collections import deque
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class Buffer(Generic[Item]):
    """What one reader has not read yet.

    Args:
        limit: how many items make it full.
        drop_oldest: what happens then: the oldest goes (True), or whoever fills it waits for `room` (False).
    """

    def __init__(self, limit: int, *, drop_oldest: bool) -> None:
        self._items: deque[Item] = deque(maxlen=limit if drop_oldest else None)
        self._limit = limit
        self._drop_oldest = drop_oldest
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._error: BaseException | None = None
        self.relaxed = False
        self.closed = False

    def put(self, item: Item) -> None:
        """Add an item; never waits."""
        if self.closed:
            return
        self._items.append(item)
        self._changed.set()
        if not self._drop_oldest and len(self._items) >= self._limit:
            self._room.clear()

    async def room(self) -> None:
        """Wait until the reader has caught up, or the buffer is relaxed or closed."""
        if not (self.relaxed or self.closed):
            await self._room.wait()

    def relax(self, relaxed: bool = True) -> None:
        """Let nobody wait for room: the last items of a connection that is being closed always fit."""
        self.relaxed = relaxed
        if relaxed:
            self._room.set()

    async def get(self) -> Item:
        """The next item; raises EOFError at the end, or the error that ended the stream."""
        while not self._items:
            if self._error is not None:
                raise self._error
            if self.closed:
                raise EOFError
            self._changed.clear()
            await self._changed.wait()
        item = self._items.popleft()
        if len(self._items) < self._limit:
            self._room.set()
        return item

    def close(self, error: BaseException | None = None) -> None:
        """Nothing follows; the reader still gets what is there, then the error if there is one."""
        if not self.closed:
            self.closed = True
            self._error = error
            self._changed.set()
            self._room.set()


class Stream(Generic[Item]):
    """An asynchronous iterator over a buffer, for one reader.

    It ends when the client is closed. `close`, the end of a `with` block, or forgetting the stream frees its place: a
    reader that left never holds up the connection.
    """

    def __init__(self, buffer: Buffer[Item]) -> None:
        self._buffer = buffer
        self._finalizer = weakref.finalize(self, buffer.close)
        self._finalizer.atexit = False

    def close(self) -> None:
        """Stop reading."""
        self._buffer.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        try:
            return await self._buffer.get()
        except EOFError:
            raise StopAsyncIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Publisher(Generic[Item]):
    """Gives every item to every stream that was opened before."""

    def __init__(self) -> None:
        self._buffers: list[Buffer[Item]] = []

    def open(self, limit: int, *, drop_oldest: bool, first: tuple[Item, ...] = ()) -> Stream[Item]:
        """A stream of what comes from now on, after `first`."""
        buffer = Buffer[Item](limit, drop_oldest=drop_oldest)
        self._buffers.append(buffer)
        for item in first:
            buffer.put(item)
        return Stream(buffer)

    def put(self, item: Item) -> None:
        """Give an item to every reader; never waits."""
        self._buffers = [buffer for buffer in self._buffers if not buffer.closed]
        for buffer in self._buffers:
            buffer.put(item)

    async def room(self) -> None:
        """Wait until every reader has caught up."""
        for buffer in tuple(self._buffers):
            await buffer.room()

    def relax(self, relaxed: bool) -> None:
        """See `Buffer.relax`."""
        for buffer in self._buffers:
            buffer.relax(relaxed)

    def close(self, error: BaseException | None = None) -> None:
        """End every stream."""
        for buffer in self._buffers:
            buffer.close(error)
        self._buffers.clear()
