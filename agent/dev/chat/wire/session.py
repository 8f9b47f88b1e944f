"""The frames of one connection, from text to what the server does about them."""

import asyncio
import logging
import time
from typing import assert_never

from aiohttp import WSMsgType, web

from agent.dev.chat.credentials import Kind
from agent.dev.chat.services import Services
from agent.dev.chat.thread.messages import NewMessage, new_message_id
from agent.dev.chat.thread.schema import StoreError
from agent.dev.chat.wire.actions import BAD_FRAME, NOT_ALLOWED, SERVER_ERROR, Action, Attach, Bad, Caption, Ping, Post
from agent.dev.chat.wire.client import UNSUPPORTED, Client
from agent.dev.chat.wire.connection_faults import ConnectionFaults
from agent.dev.chat.wire.unpod import event_of
from agent.turns import Speaker, to_timestamp

logger = logging.getLogger("agent.dev.chat.session")

# What the guide's react-use-websocket sends as a heartbeat unless it is told otherwise.
BARE_PING, BARE_PONG = "ping", "pong"


def may_speak_as(role: Speaker, client: Client) -> bool:
    """Whether a client may put words into somebody's mouth.

    Everybody in the thread speaks for the user; for the assistant only the worker's token does, or a connection of the
    owner that is attached, which is a worker with its user's token.
    """
    return role is Speaker.USER or client.principal.kind is Kind.AGENT or client.attached


class Session:
    """Takes in what one client sends, in the order in which it comes.

    Args:
        services: the server.
        client: the connection.
        faults: what goes wrong on it.
        dialect_is_known: whether the client has shown its dialect, else its first frames do.
    """

    def __init__(self, services: Services, client: Client, faults: ConnectionFaults, *, dialect_is_known: bool) -> None:
        self._services = services
        self._client = client
        self._faults = faults
        self._dialect_is_known = dialect_is_known

    async def receive(self, socket: web.WebSocketResponse) -> None:
        """Take in frames until the connection ends."""
        async for frame in socket:
            if not self._client.listens:
                continue  # what comes after we have decided to close is read, so that the close gets through
            if frame.type is WSMsgType.TEXT:
                await self._take(frame.data)
            elif frame.type is WSMsgType.BINARY:
                self._refuse(Bad(BAD_FRAME, "a frame is text"))
            elif frame.type is WSMsgType.ERROR:
                logger.warning("a frame cannot be read: %s", type(frame.data).__name__, extra=self._fields())

    async def _take(self, raw: str) -> None:
        if not self._dialect_is_known:
            self._learn_dialect(raw)
        if raw == BARE_PING:
            self._client.send(BARE_PONG)
            return
        for action in self._client.dialect.parse(raw):
            if not self._client.listens:
                break
            await self._do(action)
            # Most actions wait for nothing: without this, one batch fills every outbox before a frame of it leaves.
            await asyncio.sleep(0)

    def _learn_dialect(self, raw: str) -> None:
        """A block is unpod, anything else guide; pings are unpod's too, but a guide client may send them first."""
        event = event_of(raw)
        self._faults.choose_dialect("unpod" if event in ("block", "ping") else "guide")
        self._dialect_is_known = event != "ping" and raw != BARE_PING

    async def _do(self, action: Action) -> None:
        match action:
            case Post():
                await self._post(action)
            case Caption():
                if may_speak_as(action.role, self._client):
                    self._services.hub.show_caption(self._client, action)
                else:
                    self._refuse(Bad(NOT_ALLOWED, "only an attached worker speaks for the assistant"))
            case Attach(attached):
                self._services.hub.set_attached(self._client, attached)
            case Ping():
                self._client.send(self._client.dialect.pong_frame())
            case Bad():
                self._refuse(action)
            case _:
                assert_never(action)

    async def _post(self, asked: Post) -> None:
        client, services = self._client, self._services
        if not may_speak_as(asked.role, client):
            self._refuse(Bad(NOT_ALLOWED, "only an attached worker speaks for the assistant", asked.id))
            return
        if (post := self._faults.before_storing(asked)) is None:
            return
        try:
            stored = await services.posting.post(_new_message(post, client))
        except StoreError as error:
            logger.error("%s", error, extra=self._fields())
            client.send(client.dialect.error_frame(Bad(SERVER_ERROR, "the message could not be stored", post.id)))
            return
        finally:
            self._faults.stored()
        if not stored.is_new:
            client.show(client.dialect.message_frame(stored.message))
        elif post.asks:
            services.answering.asked(client.conversation_id)

    def _refuse(self, bad: Bad) -> None:
        """Tell the client what was wrong; the unpod dialect also closes."""
        logger.warning("frame refused: %s", bad.code, extra=self._fields())
        self._client.send(self._client.dialect.error_frame(bad))
        if self._client.dialect.closes_on_bad_frame:
            self._client.close(UNSUPPORTED)

    def _fields(self) -> dict[str, str]:
        return {"conversation_id": self._client.conversation_id}


def _new_message(post: Post, client: Client) -> NewMessage:
    created_at = post.created_at
    if post.asks and created_at is not None:
        # A clock that is ahead must not make a question look later than the reply to it.
        created_at = min(created_at, to_timestamp(time.time()))
    return NewMessage(
        conversation_id=client.conversation_id,
        id=post.id or new_message_id(),
        role=post.role,
        text=post.text,
        channel=post.channel,
        asks=post.asks,
        interrupted=post.interrupted,
        reply_to=post.reply_to,
        created_at=created_at,
        author=client.principal.display_name if post.role is Speaker.USER else "Assistant",
        kind=post.kind,
        conversation_type=post.conversation_type,
        block_type=post.block_type,
    )
