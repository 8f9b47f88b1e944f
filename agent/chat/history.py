"""The history of a conversation over HTTP, page by page, oldest first (CHAT_PROTOCOL, "History")."""

import json
from typing import Any

import aiohttp

from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import Malformed, ThreadMessage, decode_message

PAGE_SIZE = 200
MAX_PAGES = 500
MAX_PAGE_BYTES = 32 * 1024 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=10.0, connect=5.0)


class HistoryError(RuntimeError):
    """The history cannot be read; the message says why, without the address's query."""


async def read_history(http: aiohttp.ClientSession, endpoint: ChatEndpoint, *, after: int = 0) -> list[ThreadMessage]:
    """All messages whose `seq` is larger than `after`, in order.

    A conversation that the server does not know yet (404) has none.

    Raises:
        HistoryError: the server refuses, does not answer in time, or answers with something else.
    """
    messages: list[ThreadMessage] = []
    for _ in range(MAX_PAGES):
        page = await _read_page(http, endpoint, after)
        messages.extend(page)
        last = max((m.seq for m in page if m.seq is not None), default=after)
        if len(page) < PAGE_SIZE or last <= after:
            return messages
        after = last
    raise HistoryError(f"the thread has more than {MAX_PAGES * PAGE_SIZE} messages")


async def _read_page(http: aiohttp.ClientSession, endpoint: ChatEndpoint, after: int) -> list[ThreadMessage]:
    params = endpoint.history_params(after=after, limit=PAGE_SIZE)
    try:
        async with http.get(endpoint.history_url(), params=params, timeout=TIMEOUT) as response:
            if response.status == 404:
                return []
            if response.status != 200:
                raise HistoryError(f"the chat server answered {response.status} to a request for history")
            raw = bytearray()
            async for chunk in response.content.iter_chunked(64 * 1024):
                raw += chunk
                if len(raw) > MAX_PAGE_BYTES:
                    raise HistoryError("a page of history is too large")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise HistoryError(f"the chat server cannot be reached for history ({type(error).__name__})") from None
    return _parse_page(bytes(raw))


def _parse_page(raw: bytes) -> list[ThreadMessage]:
    try:
        body: Any = json.loads(raw)
        results = body["results"]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise HistoryError("the chat server's history is not the JSON of the protocol") from None
    if not isinstance(results, list):
        raise HistoryError("the chat server's history is not the JSON of the protocol")
    decoded = (decode_message(item) for item in results)
    return [message for message in decoded if not isinstance(message, Malformed)]
