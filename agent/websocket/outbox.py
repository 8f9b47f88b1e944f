"""What a client wants to send: in order, bounded in number, size and time. No I/O; times are given."""

import asyncio
from collections import deque
from collections.abc import Generator, Iterator
from enum import StrEnum
from typing import Any


class SendResult(StrEnum):
    """What became of a message.

    SENT: handed to the network on an open link. No more than the server's own answer proves that it arrived.
    EXPIRED: its time to live passed before there was a link.
    DROPPED: the queue was full, there was no link to send it on (`keep=False`), the link died under it (it may have
    arrived, so it is not sent twice), or the client was closed.
    """

    SENT = "sent"
    EXPIRED = "expired"
    DROPPED = "dropped"


class Outgoing:
    """A message on its way; await it for its `SendResult`, or let it be.

    Args:
        data: text, or bytes to send as binary.
        keep: whether it may wait for the next link.
        expires_at: when it is worth nothing any more, in seconds of the client's clock.
    """

    def __init__(self, data: str | bytes, *, keep: bool, expires_at: float) -> None:
        self.data = data
        self.size = len(data.encode() if isinstance(data, str) else data)
        self.keep = keep
        self.expires_at = expires_at
        self.sending = False
        self.result: SendResult | None = None
        self._done = asyncio.Event()

    def resolve(self, result: SendResult) -> None:
        """Say what became of it; only the first word counts."""
        if self.result is None:
            self.result = result
            self._done.set()

    def __await__(self) -> Generator[Any, Any, SendResult]:
        yield from self._done.wait().__await__()
        assert self.result is not None
        return self.result


class Outbox:
    """The queue of one subscriber.

    Args:
        max_messages: how many messages may wait.
        max_bytes: how large they may be together.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._queue: deque[Outgoing] = deque()
        self._max_messages = max_messages
        self.max_bytes = max_bytes
        self._bytes = 0
        self._first_places: int | None = None

    def __len__(self) -> int:
        return len(self._queue)

    def __iter__(self) -> Iterator[Outgoing]:
        return iter(tuple(self._queue))

    def add(self, message: Outgoing) -> None:
        """Queue a message; one that does not fit is dropped, those that wait keep their places."""
        if len(self._queue) >= self._max_messages or self._bytes + message.size > self.max_bytes:
            message.resolve(SendResult.DROPPED)
            return
        self._bytes += message.size
        if self._first_places is None:
            self._queue.append(message)
        else:
            self._queue.insert(self._first_places, message)
            self._first_places += 1

    def begin_opening(self) -> None:
        """A link opens: what is added until `end_opening` goes out before what waited, such as a log-in."""
        self._first_places = 0

    def end_opening(self) -> None:
        """From now on messages queue up behind the others again."""
        self._first_places = None

    def next(self, now: float) -> Outgoing | None:
        """The message to send now, which stays until `settle`; None if there is none."""
        while self._queue and self._queue[0].expires_at <= now:
            self._remove(self._queue[0], SendResult.EXPIRED)
        if not self._queue:
            return None
        self._queue[0].sending = True
        return self._queue[0]

    def settle(self, message: Outgoing, result: SendResult | None) -> None:
        """The message that was being sent was sent or lost; None: it was not written, and waits again if it may."""
        message.sending = False
        if result is None and message.keep:
            return
        self._remove(message, result or SendResult.DROPPED)

    def expire(self, now: float) -> None:
        """Let go of what has waited too long."""
        for message in self:
            if message.expires_at <= now and not message.sending:
                self._remove(message, SendResult.EXPIRED)

    def next_expiry(self) -> float | None:
        """When the next message expires."""
        return min((message.expires_at for message in self._queue if not message.sending), default=None)

    def link_ended(self) -> None:
        """What was meant for the link that ended is dropped."""
        for message in self:
            if not message.keep:
                self._remove(message, SendResult.DROPPED)

    def drop_all(self) -> None:
        """Nothing will be sent any more."""
        for message in self:
            self._remove(message, SendResult.DROPPED)

    def _remove(self, message: Outgoing, result: SendResult) -> None:
        message.resolve(result)
        if message in self._queue:
            self._queue.remove(message)
            self._bytes -= message.size
