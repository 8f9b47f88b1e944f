"""One open connection: what waits to be sent to it, and how it ends."""

import asyncio
from collections import deque

from aiohttp import web

from agent.dev.chat.credentials import Principal
from agent.dev.chat.wire.dialect import Dialect

MAX_WAITING_FRAMES = 1000
MAX_WAITING_CHARACTERS = 8 * 1024 * 1024
CLOSE_TIMEOUT_S = 1.5

GOING_AWAY = 1001
UNSUPPORTED = 1003
TRY_AGAIN_LATER = 1013


class Client:
    """A connection with its own bounded outbox, so that a slow reader delays nobody else.

    Attributes:
        attached: whether a worker answers the conversation over this connection.
        deaf: whether nothing of the thread is shown to it any more (a fault).
        opened_at: when it was opened, in seconds of the event loop's clock.

    Args:
        socket: the open WebSocket; its handler receives, this object sends.
        transport: what the socket runs on, for ends without a goodbye.
        conversation_id: the thread that it shows.
        principal: whose connection it is.
        dialect: how it is answered.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        conversation_id: str,
        principal: Principal,
        dialect: Dialect,
    ) -> None:
        self.conversation_id = conversation_id
        self.principal = principal
        self.dialect = dialect
        self.attached = False
        self.deaf = False
        self.opened_at = asyncio.get_running_loop().time()
        self._socket = socket
        self._transport = transport
        self._outbox: deque[str] = deque()
        self._waiting_characters = 0
        self._queued = asyncio.Event()
        self._ending = asyncio.Event()
        self._close_code: int | None = None
        self._over = False
        self._frozen = False
        self._fuse: asyncio.TimerHandle | None = None

    @property
    def listens(self) -> bool:
        """Whether anything is still taken from this client or queued for it."""
        return not self._over and not self._frozen and self._close_code is None

    def show(self, frame: str) -> None:
        """Queue a frame of the thread."""
        if not self.deaf:
            self.send(frame)

    def send(self, frame: str) -> None:
        """Queue a frame; a client that has let too much pile up is closed with 1013 instead."""
        if not self.listens:
            return
        too_much = self._waiting_characters + len(frame) > MAX_WAITING_CHARACTERS
        if too_much or len(self._outbox) >= MAX_WAITING_FRAMES:
            self._outbox.clear()
            self.close(TRY_AGAIN_LATER)
            return
        self._outbox.append(frame)
        self._waiting_characters += len(frame)
        self._queued.set()

    def close(self, code: int) -> None:
        """Close once what is queued has been sent; the first code counts."""
        if not self._over and self._close_code is None:
            self._close_code = code
            self._wake()

    def freeze(self) -> None:
        """Send and take nothing more, though the connection stays open (a fault)."""
        self._frozen = True

    def abort(self, after_s: float = 0.0) -> None:
        """Cut the connection without a close frame: the other side sees 1006."""
        if after_s and not self._over:
            self._fuse = asyncio.get_running_loop().call_later(after_s, self.abort)
            return
        self.over()
        self._transport.abort()

    def over(self) -> None:
        """The connection has ended: nothing is left to do for it."""
        self._over = True
        if self._fuse is not None:
            self._fuse.cancel()
        self._outbox.clear()
        self._wake()

    def _wake(self) -> None:
        self._queued.set()
        self._ending.set()

    async def run(self) -> None:
        """Send what is queued until the connection ends; the handler of the connection owns this task."""
        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(self._send_queue(), name="chat outbox")
            await self._ending.wait()
            # A client that does not read cannot be told goodbye, and must not be waited for.
            deadline = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._transport.abort)
            try:
                await sender
                if not self._over and self._close_code is not None:
                    await self._socket.close(code=self._close_code)
            finally:
                deadline.cancel()

    async def _send_queue(self) -> None:
        while True:
            while self._outbox:
                frame = self._outbox.popleft()
                self._waiting_characters -= len(frame)
                try:
                    await self._socket.send_str(frame)
                except ConnectionError:
                    self.over()
            if self._over or self._close_code is not None:
                return
            self._queued.clear()
            await self._queued.wait()
