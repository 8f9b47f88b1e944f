"""The endpoints that give out room tokens (CHAT_PROTOCOL, "Room token")."""

import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent.dev.chat.http_api.errors import BadRequest, json_object
from agent.dev.chat.http_api.live_calls import has_agent
from agent.dev.chat.room_tokens import (
    LiveKit,
    RoomToken,
    livekit_of,
    new_room_name,
    parse_job_members,
    room_token,
)
from agent.dev.chat.services import SERVICES, Services, who_asks
from agent.dev.chat.thread.conversations import UnknownConversation, open_conversation
from agent.dev.chat.thread.messages import is_conversation_id, new_conversation_id
from agent.dev.chat.wire.fields import is_unicode

logger = logging.getLogger("agent.dev.chat.room_tokens")


async def generate_room_token(request: web.Request) -> web.Response:
    """`GET|POST /api/generate-room-token`; `conversation`, `room` and `job` in the body or the query."""
    body = await json_object(request)
    conversation_id = _text(request, body, "conversation") or new_conversation_id()
    return web.json_response(await _answer(request, body, conversation_id))


async def generate_voice_room_token(request: web.Request) -> web.Response:
    """`GET|POST /core/voice/{post_slug}/generate_room_token/`; the slug names the conversation."""
    body = await json_object(request)
    return web.json_response({"data": await _answer(request, body, request.match_info["post_slug"])})


async def _answer(request: web.Request, body: Mapping[str, Any], conversation_id: str) -> dict[str, Any]:
    services = request.app[SERVICES]
    principal = who_asks(request)
    livekit = livekit_of(services.settings, services.secrets)
    try:
        job = parse_job_members(body.get("job", {}))
        if services.embedded_chat:
            await open_conversation(services.store, conversation_id, principal, create=True)
        elif not is_conversation_id(conversation_id):
            raise UnknownConversation("a conversation's id is 1 to 128 letters, digits, _ and -")
        resumed = await _room_to_resume(services, livekit, _text(request, body, "room"), conversation_id)
        made = room_token(
            livekit,
            agent_name=services.settings.agent_name,
            room=resumed or new_room_name(),
            conversation_id=conversation_id,
            principal=principal,
            job=job,
        )
    except ValueError as error:
        raise BadRequest(str(error)) from None
    await services.store.add_room(made.room, conversation_id)
    logger.info(
        "room token given", extra={"conversation_id": conversation_id, "room": made.room, "resumed": bool(resumed)}
    )
    return _as_json(made, resumed=resumed is not None)


async def _room_to_resume(services: Services, livekit: LiveKit, room: str, conversation_id: str) -> str | None:
    """The room of a running call of this conversation, when the request names one."""
    if not room or await services.store.room_conversation(room) != conversation_id:
        return None
    return room if await has_agent(livekit, room) else None


def _as_json(made: RoomToken, *, resumed: bool) -> dict[str, Any]:
    return {
        "token": made.token,
        "url": made.url,
        "room": made.room,
        "conversation_id": made.conversation_id,
        "resumed": resumed,
    }


def _text(request: web.Request, body: Mapping[str, Any], name: str) -> str:
    value = body.get(name, request.query.get(name, ""))
    if value is None:
        return ""
    if not isinstance(value, str) or not is_unicode(value):
        raise BadRequest(f"{name} must be a text of valid Unicode")
    return value
