"""The history of a conversation over HTTP, page by page (CHAT_PROTOCOL, "History")."""

import json
from typing import Any

import aiohttp

from agent.chat.dialect import Address, Dialect
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import ThreadMessage

MAX_PAGES = 500
MAX_PAGE_BYTES = 32 * 1024 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=10.0, connect=5.0)


class HistoryError(RuntimeError):
    """The history cannot be read; the message says why, without the address's query."""


async def read_history(
    http: aiohttp.ClientSession, endpoint: ChatEndpoint, dialect: Dialect, *, after: int = 0
) -> list[ThreadMessage] | None:
    """The messages of the thread, oldest first; None when the server has no history (404).

    Args:
        http: makes the requests.
        endpoint: the conversation, whose WebSocket is open: the server knows it.
        dialect: how the server pages.
        after: the last `seq` that is known; what came before it is left out where the server can.

    Raises:
        HistoryError: the server refuses, does not answer in time, or answers with something else.
    """
    pages: list[list[ThreadMessage]] = []
    address: Address | None = dialect.history(endpoint, after)
    while address is not None:
        if len(pages) >= MAX_PAGES:
            raise HistoryError(f"the thread has more than {MAX_PAGES} pages")
        body = await fetch_page(http, address)
        if body is None:
            return None
        try:
            page = dialect.read_page(endpoint, address, body, after)
        except ValueError:
            raise HistoryError("the chat server's history is not the JSON of the protocol") from None
        pages.append(page.messages[::-1] if dialect.newest_first else page.messages)
        address = page.next
    ordered = reversed(pages) if dialect.newest_first else pages
    return [message for page in ordered for message in page]


async def fetch_page(http: aiohttp.ClientSession, address: Address) -> Any:
    """One page of history as JSON that nobody has looked at; None when the server has no history (404).

    Raises:
        HistoryError: see `read_history`.
    """
    try:
        async with http.get(address.url, params=address.params, headers=address.headers, timeout=TIMEOUT) as response:
            if response.status == 404:
                return None
            if response.status != 200:
                raise HistoryError(f"the chat server answered {response.status} to a request for history")
            raw = bytearray()
            async for chunk in response.content.iter_chunked(64 * 1024):
                raw += chunk
                if len(raw) > MAX_PAGE_BYTES:
                    raise HistoryError("a page of history is too large")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise HistoryError(f"the chat server cannot be reached for history ({type(error).__name__})") from None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise HistoryError("the chat server's history is not JSON") from None
