"""The page and what it has to know: its files, with a fallback to `index.html`, and `/api/config`."""

import asyncio
from pathlib import Path

from aiohttp import web

from agent.dev.chat.http_api.errors import error_response
from agent.dev.chat.room_tokens import livekit_url
from agent.dev.chat.services import SERVICES

PAGE_DIR = web.AppKey("page_dir", Path)
NOT_FOR_THE_PAGE = ("api", "ws", "core", "conversation")
NO_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Voice agent: the page is not built</title>
<h1>The page is not built yet</h1>
<p>Run <code>make dev</code>: it builds the page once and then starts everything. The chat server itself is running.</p>
</html>
"""


def is_page(request: web.Request) -> bool:
    """Whether an address is the page's, and not the API's."""
    return request.path.split("/", 2)[1] not in NOT_FOR_THE_PAGE


async def config(request: web.Request) -> web.Response:
    """`GET /api/config`: what the page reads first."""
    services = request.app[SERVICES]
    settings = services.settings
    here = f"{'wss' if request.scheme == 'https' else 'ws'}://{request.host}/ws/v1/"
    return web.json_response(
        {
            "chatApiUrl": here if services.embedded_chat else settings.chat_api_url,
            "livekitUrl": livekit_url(settings),
            "appType": settings.app_type,
            "productId": settings.product_id,
            "agentName": settings.agent_name,
            "chat": "embedded" if services.embedded_chat else "external",
            "models": {
                "stt": [str(ref) for ref in settings.models("stt")],
                "llm": [str(ref) for ref in settings.models("llm")],
                "tts": [str(ref) for ref in settings.models("tts")],
            },
        }
    )


async def page(request: web.Request) -> web.StreamResponse:
    """Any other address: a file of the page, or `index.html` for the page's own routes."""
    path = request.match_info["path"]
    if not is_page(request):
        return error_response(404, "not_found", "there is no such address")
    page_dir = request.app.get(PAGE_DIR)
    if page_dir is None or not await asyncio.to_thread((page_dir / "index.html").is_file):
        return web.Response(status=503, text=NO_PAGE, content_type="text/html")
    file = await asyncio.to_thread(_find, page_dir, path)
    if file is None:
        return error_response(404, "not_found", "there is no such file")
    hashed = file.parent.name == "assets"
    caching = "public, max-age=31536000, immutable" if hashed else "no-cache"
    return web.FileResponse(file, headers={"Cache-Control": caching})


def _find(page_dir: Path, path: str) -> Path | None:
    """The file for a path: never one outside of the folder; `index.html` for a path without a suffix."""
    root = page_dir.resolve()
    try:
        file = (root / path).resolve()
        if not file.is_relative_to(root):
            return None
        if file.is_file():
            return file
    except (OSError, ValueError):
        return None  # a name that no file can have
    return root / "index.html" if not Path(path).suffix else None
