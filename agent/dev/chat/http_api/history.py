"""The messages of a conversation over HTTP: oldest first for the guide dialect, newest first in pages for unpod."""

from dataclasses import dataclass

from aiohttp import web

from agent.dev.chat.credentials import sent_in_header
from agent.dev.chat.fault_switch import Subject
from agent.dev.chat.faults import GuideOnly
from agent.dev.chat.http_api.errors import BadRequest
from agent.dev.chat.services import SERVICES, Services, who_asks
from agent.dev.chat.thread.conversations import UnknownConversation, open_conversation
from agent.dev.chat.wire.dialect import Dialect, DialectName
from agent.dev.chat.wire.faulty_dialects import spoken_to

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 200
MAX_SEQ = 2**53


async def history(request: web.Request) -> web.Response:
    """`GET /ws/v1/conversation/{id}/messages/`: the guide's history, and the unpod one for clients of that dialect.

    Those are known by `Authorization: JWT …` or a `page` in the query.
    """
    if sent_in_header(request.headers) or "page" in request.query:
        return await unpod_history(request)
    thread = await _open(request, "guide")
    after = _number(request, "after", 0, 0, MAX_SEQ)
    limit = _number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    found = await thread.services.store.messages_after(thread.id, after, limit + 1)
    page = found[:limit]
    following = page[-1].seq if len(found) > limit else None
    return web.json_response({"results": [thread.dialect.message_object(m) for m in page], "next": following})


async def unpod_history(request: web.Request) -> web.Response:
    """`GET /conversation/{id}/messages/?page=&page_size=`: newest first; `next` and `previous` are page numbers."""
    thread = await _open(request, "unpod")
    page = _number(request, "page", 1, 1, 1_000_000)
    size = _number(request, "page_size", DEFAULT_PAGE_SIZE, 1, MAX_PAGE_SIZE)
    messages = await thread.services.store.newest_messages(thread.id, (page - 1) * size, size)
    count = await thread.services.store.count(thread.id)
    return web.json_response(
        {
            "count": count,
            "next": page + 1 if page * size < count else None,
            "previous": page - 1 if page > 1 else None,
            "results": [thread.dialect.message_object(message) for message in messages],
        }
    )


@dataclass(frozen=True, slots=True)
class _Thread:
    """What is read: which conversation, and how it is written for who reads it."""

    services: Services
    id: str
    dialect: Dialect


async def _open(request: web.Request, name: DialectName) -> _Thread:
    services = request.app[SERVICES]
    conversation_id = request.match_info["conversation_id"]
    principal = who_asks(request)
    await open_conversation(services.store, conversation_id, principal, create=False)
    subject = Subject.of(name, principal, conversation_id)
    fault = services.faults.find(GuideOnly, subject)
    if fault is not None and fault.history == "none":
        raise UnknownConversation("there is no history")
    return _Thread(services, conversation_id, spoken_to(subject, services.faults))


def _number(request: web.Request, name: str, default: int, smallest: int, largest: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise BadRequest(f"{name} must be a number")
    number = int(text)
    if number < smallest:
        raise BadRequest(f"{name} must be at least {smallest}")
    return min(number, largest)
