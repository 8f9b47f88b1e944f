"""The bridge between one call and its chat thread: the I/O around the courier's rules.

The call never waits for it: turns and captions are handed over without awaiting, everything from the thread comes as
calls to a `ThreadListener`. Without a chat server the call is the same and its turns wait in the journal.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Protocol

import aiohttp
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from agent.chat.captions import Captions
from agent.chat.connection import ChatConnection, ChatRefused
from agent.chat.courier import Courier, Delivered
from agent.chat.dialect import Dialect
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import (
    Ignored,
    Malformed,
    ServerError,
    ThreadMessage,
    TypingNotice,
)
from agent.chat.history import HistoryError, read_history
from agent.turns import Speaker, Turn

logger = logging.getLogger("agent.chat.bridge")


class ThreadListener(Protocol):
    """What a call wants to know of its thread."""

    def thread_read(self, messages: list[ThreadMessage]) -> None:
        """What the thread holds when the first connection opens, oldest first."""

    def thread_message(self, message: ThreadMessage) -> None:
        """A message that came since then: somebody else's, or the echo of ours."""

    def turn_delivered(self, delivered: Delivered) -> None:
        """The thread has one of our turns."""


class Bridge:
    """Carries one call's turns to its thread, and the thread's messages to the call.

    Args:
        endpoint: where the conversation is.
        dialect: how its server speaks.
        pending: turns of earlier calls that the thread has not acknowledged yet.
        listener: told what happens in the thread.
    """

    def __init__(
        self, endpoint: ChatEndpoint, dialect: Dialect, pending: Iterable[Turn], listener: ThreadListener
    ) -> None:
        self._endpoint = endpoint
        self._dialect = dialect
        self._listener = listener
        self._courier = Courier(pending)
        self._connection = ChatConnection(lambda: dialect.websocket(endpoint))
        self._link: ClientConnection | None = None
        self._captions = Captions(dialect.encode_caption, self._send_if_open)
        self._work = asyncio.Event()
        self._settled = asyncio.Event()
        self._after: int | None = None

    @property
    def connected(self) -> bool:
        """Whether the thread is reached right now."""
        return self._link is not None

    @property
    def pending(self) -> int:
        """How many turns the thread has not acknowledged."""
        return self._courier.pending

    def deliver(self, turn: Turn) -> None:
        """Hand over a durable turn; it leaves in order, as soon as the thread is reached."""
        self._captions.drop(turn.speaker)
        self._courier.add(turn)
        self._settled.clear()
        self._work.set()

    def caption(self, speaker: Speaker, text: str) -> None:
        """Show what a speaker has said so far; the empty text ends it."""
        if self._link is not None:
            self._captions.show(speaker, text)

    async def run(self) -> None:
        """Keep the thread connected until `close`; the call's task for the chat."""
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
            captions = tasks.create_task(self._captions.run())
            try:
                async for link in self._connection.links():
                    await self._serve(link, http)
            except ChatRefused as refusal:
                logger.error("%s; the call goes on without the chat", refusal)
            finally:
                captions.cancel()

    async def close(self, timeout: float) -> None:
        """Wait until every turn is acknowledged, `timeout` seconds at most, say goodbye and stop.

        What is not acknowledged by then stays in the journal.
        """
        with contextlib.suppress(TimeoutError):
            if self._link is not None and self._courier.pending:
                await asyncio.wait_for(self._settled.wait(), timeout)
        self._connection.stop()
        if (link := self._link) is not None:
            await self._send_if_open(self._dialect.encode_attach(False))
            await link.close()

    async def _serve(self, link: ClientConnection, http: aiohttp.ClientSession) -> None:
        try:
            history = await read_history(http, self._endpoint, self._dialect, after=self._after or 0)
        except HistoryError as error:
            logger.warning("chat: %s; connecting anew", error)
            await link.close(1001)
            return
        try:
            self._begin(link, history)
            await self._send_if_open(self._dialect.encode_attach(True))
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._send_turns(link))
                async for raw in link:
                    self._receive(raw)
                sender.cancel()
        except* ConnectionClosed:
            pass
        finally:
            self._link = None
            self._courier.disconnected()

    def _begin(self, link: ClientConnection, history: list[ThreadMessage]) -> None:
        first_time = self._after is None
        self._link = link
        self._after = max((m.seq for m in history if m.seq is not None), default=self._after or 0)
        for delivered in self._courier.connected(history):
            self._acknowledge(delivered)
        if first_time:
            self._listener.thread_read(history)
        else:
            for message in history:
                self._listener.thread_message(message)
        self._work.set()

    async def _send_turns(self, link: ClientConnection) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            for turn in self._courier.to_send():
                await link.send(self._dialect.encode_turn(turn))

    def _receive(self, raw: str | bytes) -> None:
        match self._dialect.decode(raw):
            case ThreadMessage() as message:
                if message.seq is not None:
                    self._after = max(self._after or 0, message.seq)
                if (delivered := self._courier.seen(message)) is not None:
                    self._acknowledge(delivered)
                self._listener.thread_message(message)
            case ServerError() as error:
                logger.warning("chat: the server reports %s", error.code)
                if error.id is not None and self._courier.refused(error.id) is not None:
                    logger.error("chat: a turn was refused and stays in the journal", extra={"turn_id": error.id})
                    self._after_progress()
            case Malformed() as frame:
                logger.warning("chat: a frame was skipped (%s)", frame.why)
            case TypingNotice() | Ignored():
                pass

    def _acknowledge(self, delivered: Delivered) -> None:
        self._listener.turn_delivered(delivered)
        self._after_progress()

    def _after_progress(self) -> None:
        self._work.set()
        if not self._courier.pending:
            self._settled.set()

    async def _send_if_open(self, frame: str | None) -> None:
        if frame is not None and (link := self._link) is not None:
            with contextlib.suppress(ConnectionClosed):
                await link.send(frame)
