"""What holds for every request: local pages only, errors as JSON, and headers that keep the page to itself."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from agent.dev.chat.credentials import Unauthorized
from agent.dev.chat.http_api.errors import BadRequest, error_response, response_for
from agent.dev.chat.http_api.origins import is_local_host, is_local_origin
from agent.dev.chat.http_api.page import is_page
from agent.dev.chat.room_tokens import LiveKitNotSet
from agent.dev.chat.thread.conversations import NotYours, UnknownConversation
from agent.dev.chat.thread.schema import StoreError

logger = logging.getLogger("agent.dev.chat.http")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# The page may open WebSockets and media anywhere: LiveKit and the chat can be other servers.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src 'self' ws: wss: http: https:; media-src 'self' blob: mediastream:; "
        "img-src 'self' data:; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@web.middleware
async def local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a page of another origin sends, and answer the preflights of those that may ask."""
    origin = request.headers.get("Origin")
    # A browser names no origin when it fetches an image or follows a link, but says that it does so for another site.
    by_other_site = origin is None and request.headers.get("Sec-Fetch-Site") == "cross-site" and not is_page(request)
    if by_other_site or not is_local_host(request.host) or not is_local_origin(origin):
        logger.warning("request refused: not from a page of this machine")
        return error_response(403, "forbidden_origin", "this server is for pages and programs of this machine only")
    if request.method == "OPTIONS":
        return web.Response(status=204)
    return await handler(request)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into the API's JSON; what is not foreseen becomes a 500 and a trace in the log."""
    try:
        return await handler(request)
    except (Unauthorized, NotYours, UnknownConversation, BadRequest, LiveKitNotSet, StoreError) as error:
        logger.warning("request refused: %s", type(error).__name__)
        return response_for(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return error_response(error.status, "http", error.reason)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Before each response leaves: security headers, and who may read it across origins."""
    response.headers.update(SECURITY_HEADERS)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    origin = request.headers.get("Origin")
    if origin is not None and is_local_origin(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response.headers["Vary"] = "Origin"
