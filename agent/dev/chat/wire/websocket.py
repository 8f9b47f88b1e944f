"""The chat WebSocket: the handshake, one connection from its opening to its end, and the end of them all."""

import asyncio
import logging

from aiohttp import web

from agent.dev.chat.credentials import Kind, Unauthorized, sent_in_header
from agent.dev.chat.http_api.errors import error_response, response_for
from agent.dev.chat.services import SERVICES, Services, who_asks
from agent.dev.chat.thread.conversations import NotYours, UnknownConversation, open_conversation
from agent.dev.chat.thread.schema import StoreError
from agent.dev.chat.wire.client import GOING_AWAY, Client
from agent.dev.chat.wire.connection_faults import ConnectionFaults
from agent.dev.chat.wire.dialect import DialectName
from agent.dev.chat.wire.guide import GUIDE
from agent.dev.chat.wire.session import Session

logger = logging.getLogger("agent.dev.chat.websocket")

MAX_FRAME_BYTES = 16 * 1024 * 1024
HEARTBEAT_S = 20.0
CLOSE_TIMEOUT_S = 1.5


async def chat_websocket(request: web.Request) -> web.StreamResponse:
    """`GET /ws/v1/conversation/{id}/`: refused before the upgrade with 401 (unpod: 403), 403 or 404."""
    services = request.app[SERVICES]
    conversation_id = request.match_info["conversation_id"]
    if services.stopping:
        return error_response(503, "stopping", "the server is stopping")
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_S,
        max_msg_size=MAX_FRAME_BYTES + 1,  # aiohttp refuses what is as long as its limit
        compress=False,
        timeout=CLOSE_TIMEOUT_S,
    )
    try:
        principal = who_asks(request)
        if not socket.can_prepare(request):
            return error_response(426, "upgrade_required", "this address is a WebSocket")
        await open_conversation(services.store, conversation_id, principal, create=True)
        is_new_thread = await services.store.count(conversation_id) == 0
    except (Unauthorized, NotYours, UnknownConversation, StoreError) as error:
        logger.warning("connection refused: %s", error)
        if isinstance(error, Unauthorized) and sent_in_header(request.headers):
            return error_response(403, "unauthorized", str(error))  # as the unpod service does
        return response_for(error)
    await socket.prepare(request)
    if (transport := request.transport) is not None:  # else the client left during the handshake
        client = Client(socket, transport, conversation_id, principal, GUIDE)
        faults = ConnectionFaults(services.faults, client, request.query.get("app_type", ""))
        by_header: DialectName = "unpod" if sent_in_header(request.headers) else "guide"
        faults.choose_dialect(by_header)
        faults.opened(services.hub.clients(conversation_id), is_new_thread=is_new_thread)
        session = Session(services, client, faults, dialect_is_known=by_header == "unpod")
        await _serve(services, client, socket, session)
    return socket


async def _serve(services: Services, client: Client, socket: web.WebSocketResponse, session: Session) -> None:
    fields = {"conversation_id": client.conversation_id, "who": client.principal.kind.value}
    logger.info("connection open", extra=fields)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run(), name="chat client")
        services.hub.add(client)
        services.answering.check_later(client.conversation_id)
        if client.dialect.name == "unpod" and client.principal.kind is Kind.AGENT:
            services.hub.set_attached(client, True)  # a worker that has no frame to say so
        if services.stopping:
            client.close(GOING_AWAY)  # it came between the last refusal and the closing of all
        try:
            await session.receive(socket)
        finally:
            services.hub.remove(client)
            client.over()
    logger.info("connection closed", extra={**fields, "code": socket.close_code or 1006})


async def close_all(services: Services) -> None:
    """Take no new connection, close the open ones with 1001 and wait until they have ended."""
    services.stopping = True
    for client in services.hub.all_clients():
        client.close(GOING_AWAY)
    await services.hub.wait_until_empty()
