"""Errors of the HTTP API: always JSON, `{"error":{"code","message"}}`."""

import json
import logging
from typing import Any

from aiohttp import web

from agent.dev.chat.credentials import Unauthorized
from agent.dev.chat.room_tokens import LiveKitNotSet
from agent.dev.chat.thread.conversations import NotYours, UnknownConversation
from agent.dev.chat.thread.schema import StoreError

logger = logging.getLogger("agent.dev.chat.http")

MAX_BODY_BYTES = 256 * 1024


class BadRequest(ValueError):
    """A request cannot be used; the message says why."""


def error_response(status: int, code: str, message: str) -> web.Response:
    """An error as the API shows it."""
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


def response_for(error: Exception) -> web.Response:
    """The response to an error that a handler raised on purpose; any other error is raised again."""
    match error:
        case Unauthorized():
            return error_response(401, "unauthorized", str(error))
        case NotYours():
            return error_response(403, "forbidden", str(error))
        case UnknownConversation():
            return error_response(404, "unknown_conversation", str(error))
        case LiveKitNotSet():
            logger.error("%s", error)
            return error_response(503, "livekit_not_set", str(error))
        case BadRequest():
            return error_response(400, "bad_request", str(error))
        case StoreError():
            logger.error("%s", error)
            return error_response(503, "storage", "the chat's file cannot be used: see the server's log")
        case _:
            raise error


async def json_object(request: web.Request) -> dict[str, Any]:
    """The JSON object in a request's body, empty when there is no body.

    Raises:
        BadRequest: the body is something else.
    """
    raw = await request.read()
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body
