"""The embedded chat server as one aiohttp application; the command line serves it on 127.0.0.1."""

import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from agent.dev.chat.answers.answering import GRACE_S, Answering
from agent.dev.chat.answers.responder_client import ResponderClient
from agent.dev.chat.fault_switch import Faults
from agent.dev.chat.http_api.errors import MAX_BODY_BYTES
from agent.dev.chat.http_api.fault_routes import FAULTS_PATH, faults_report, switch_faults
from agent.dev.chat.http_api.history import history, unpod_history
from agent.dev.chat.http_api.login import login
from agent.dev.chat.http_api.middleware import add_headers, errors_as_json, local_only
from agent.dev.chat.http_api.page import PAGE_DIR, config, page
from agent.dev.chat.http_api.room_token_routes import generate_room_token, generate_voice_room_token
from agent.dev.chat.services import SERVICES, Services
from agent.dev.chat.thread.posting import Posting
from agent.dev.chat.thread.store import ChatStore
from agent.dev.chat.wire.hub import ThreadHub
from agent.dev.chat.wire.websocket import chat_websocket, close_all
from agent.dev.secrets import DevSecrets
from agent.settings import Settings

logger = logging.getLogger("agent.dev.chat")

FILE_NAME = "chat.db"


def create_chat_app(
    settings: Settings,
    secrets: DevSecrets,
    *,
    page_dir: Path | None,
    embedded_chat: bool = True,
    grace_s: float = GRACE_S,
    faults: Faults | None = None,
) -> web.Application:
    """The chat server, room tokens and the page.

    Args:
        settings: which models, which LiveKit, and where the data is kept (`chat.db` in the data folder).
        secrets: the keys of this installation.
        page_dir: the built page; without it the server says how to build it.
        embedded_chat: whether this server is the chat. If not, it gives out the page and room tokens only, and a token
            is given to any visitor or signed-in user, as the conversations and who owns them are not known here.
        grace_s: seconds after which the server answers what a worker left open.
        faults: what goes wrong on purpose, in tests (see `faults`).

    Raises:
        SettingsError: the first model of `LLM_MODELS` names a provider that is not set up.
    """
    app = web.Application(middlewares=[local_only, errors_as_json], client_max_size=MAX_BODY_BYTES)
    responder = ResponderClient(settings)
    store = ChatStore(settings.data_dir / FILE_NAME)
    hub = ThreadHub()
    posting = Posting(store, hub.show_message)
    answering = Answering(store, hub, posting, responder, settings.history_turns, grace_s)
    services = Services(settings, secrets, store, hub, posting, answering, faults or Faults(), embedded_chat)
    app[SERVICES] = services
    if page_dir is not None:
        app[PAGE_DIR] = page_dir

    async def storage(app: web.Application) -> AsyncIterator[None]:
        await store.open()
        logger.info("listens on 127.0.0.1 only, for development: anybody on this machine can sign in by name")
        yield
        await posting.close()
        await responder.close()
        await store.close()

    async def stop(app: web.Application) -> None:
        await close_all(services)
        await answering.close()

    app.cleanup_ctx.append(storage)
    app.on_shutdown.append(stop)
    app.on_response_prepare.append(add_headers)
    _add_routes(app, embedded_chat=embedded_chat, fault_switch=os.environ.get("CHAT_FAULTS") == "1")
    return app


async def healthz(request: web.Request) -> web.Response:
    """`GET /healthz`: 200 while the store answers."""
    await request.app[SERVICES].store.conversation("healthz")
    return web.json_response({"status": "ok"})


def _add_routes(app: web.Application, *, embedded_chat: bool, fault_switch: bool) -> None:
    router = app.router
    if fault_switch:
        logger.warning("CHAT_FAULTS=1: any program of this machine can have this server fail on purpose")
        router.add_get(FAULTS_PATH, faults_report)
        router.add_put(FAULTS_PATH, switch_faults)
    router.add_get("/healthz", healthz)
    router.add_get("/api/config", config)
    router.add_post("/api/dev/login", login)
    for method in ("GET", "POST"):
        router.add_route(method, "/api/generate-room-token", generate_room_token)
        router.add_route(method, "/core/voice/{post_slug}/generate_room_token/", generate_voice_room_token)
    if embedded_chat:
        router.add_get("/ws/v1/conversation/{conversation_id}/", chat_websocket)
        router.add_get("/ws/v1/conversation/{conversation_id}/messages/", history)
        router.add_get("/conversation/{conversation_id}/messages/", unpod_history)
        router.add_get("/api/v1/conversation/{conversation_id}/messages/", unpod_history)
    router.add_get("/{path:.*}", page)
