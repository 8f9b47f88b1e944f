"""The live side of the threads: who is connected to each, who answers it, and what everybody is shown."""

import asyncio
from collections.abc import Callable

from agent.dev.chat.thread.messages import Message
from agent.dev.chat.wire.actions import Bad, Caption
from agent.dev.chat.wire.client import Client
from agent.dev.chat.wire.dialect import Dialect


class ThreadHub:
    """The open connections of all conversations. Nothing here waits: each client has its own outbox."""

    def __init__(self) -> None:
        self._clients: dict[str, set[Client]] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._on_attach: Callable[[str], None] = _nothing
        self._on_detach: Callable[[str], None] = _nothing

    def watch_workers(self, on_attach: Callable[[str], None], on_detach: Callable[[str], None]) -> None:
        """Be told when a conversation gets its first worker, and when it has lost its last."""
        self._on_attach = on_attach
        self._on_detach = on_detach

    def all_clients(self) -> list[Client]:
        """Every open connection."""
        return [client for clients in self._clients.values() for client in clients]

    def clients(self, conversation_id: str) -> frozenset[Client]:
        """The open connections of a conversation."""
        return frozenset(self._clients.get(conversation_id, ()))

    def has_worker(self, conversation_id: str) -> bool:
        """Whether a worker answers this conversation."""
        return any(client.attached for client in self._clients.get(conversation_id, ()))

    def add(self, client: Client) -> None:
        """A connection has opened; it is told at once whether a worker answers."""
        self._clients.setdefault(client.conversation_id, set()).add(client)
        self._empty.clear()
        frame = client.dialect.presence_frame(agent=self.has_worker(client.conversation_id))
        if frame is not None:
            client.show(frame)

    def remove(self, client: Client) -> None:
        """A connection has ended; a worker that was attached over it is gone with it."""
        self.set_attached(client, False)
        clients = self._clients.get(client.conversation_id, set())
        clients.discard(client)
        if not clients:
            self._clients.pop(client.conversation_id, None)
        if not self._clients:
            self._empty.set()

    async def wait_until_empty(self) -> None:
        """Return once no connection is open."""
        await self._empty.wait()

    def set_attached(self, client: Client, attached: bool) -> None:
        """This connection answers the conversation from now on, or no longer."""
        before = self.has_worker(client.conversation_id)
        client.attached = attached
        after = self.has_worker(client.conversation_id)
        if before == after:
            return
        (self._on_attach if after else self._on_detach)(client.conversation_id)
        self._show(client.conversation_id, lambda dialect: dialect.presence_frame(agent=after))

    def show_message(self, message: Message) -> None:
        """Show a stored message to everybody, its sender included: that is the acknowledgement."""
        self._show(message.conversation_id, lambda dialect: dialect.message_frame(message))

    def show_caption(self, sender: Client, caption: Caption) -> None:
        """Show what somebody is saying to everybody else."""
        self._show(sender.conversation_id, lambda dialect: dialect.caption_frame(caption), besides=sender)

    def show_thinking(self, conversation_id: str, *, active: bool) -> None:
        """Show that the server is about to answer, or no longer."""
        self._show(conversation_id, lambda dialect: dialect.thinking_frame(active=active))

    def show_error(self, conversation_id: str, error: Bad) -> None:
        """Tell everybody in the thread that something failed."""
        self._show(conversation_id, lambda dialect: dialect.error_frame(error))

    def _show(
        self, conversation_id: str, encode: Callable[[Dialect], str | None], besides: Client | None = None
    ) -> None:
        frames: dict[Dialect, str | None] = {}
        for client in self._clients.get(conversation_id, ()):
            if client is besides:
                continue
            if client.dialect not in frames:
                frames[client.dialect] = encode(client.dialect)
            if (frame := frames[client.dialect]) is not None:
                client.show(frame)


def _nothing(conversation_id: str) -> None:
    """Nobody watches."""
