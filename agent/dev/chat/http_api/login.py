"""Signing in for development: anybody who says a name gets a token for it."""

from aiohttp import web

from agent.dev.chat.credentials import user_token
from agent.dev.chat.http_api.errors import BadRequest, json_object
from agent.dev.chat.services import SERVICES


async def login(request: web.Request) -> web.Response:
    """`POST /api/dev/login` with `{"user"}`; answers `{"token"}`."""
    user = (await json_object(request)).get("user")
    if not isinstance(user, str):
        raise BadRequest("user must be a name")
    try:
        token = user_token(request.app[SERVICES].secrets, user.strip())
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return web.json_response({"token": token})
