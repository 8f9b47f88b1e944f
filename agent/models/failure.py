"""What went wrong with a model, in a word or two that hold nothing of what was said."""

import json
import socket
import ssl
from collections.abc import Iterator

import aiohttp
import httpx2
from livekit.agents import APIStatusError, APITimeoutError
from pydantic import ValidationError

# Exceptions name their causes in chains, which may be cycles.
LONGEST_CHAIN = 12
TOO_MANY_REQUESTS = 429

# The first that any exception in the chain belongs to says what happened.
KNOWN: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    ("connection refused", (ConnectionRefusedError,)),
    ("unknown host", (socket.gaierror,)),
    ("tls", (ssl.SSLError,)),
    ("unreachable", (httpx2.ConnectError, aiohttp.ClientConnectorError)),
    ("timeout", (TimeoutError, APITimeoutError, httpx2.TimeoutException)),
    ("nonsense", (json.JSONDecodeError, UnicodeDecodeError, ValidationError)),
    ("connection lost", (ConnectionError, httpx2.TransportError, aiohttp.ClientError)),
)


class ModelFailed(Exception):
    """A model did not do what it was asked for.

    Args:
        why: a word or two for the journal, never with content: `timeout`, `status 503`, `nonsense`.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoApiAnswer(ModelFailed):
    """A server answered with something else where its API should be, such as a web page."""

    def __init__(self) -> None:
        super().__init__("nonsense")


def why_failed(error: BaseException) -> str:
    """What an error of a model, its plugin or the network comes down to; the libraries wrap one in another."""
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, ModelFailed):
            return link.why
    for link in chain:
        if isinstance(link, APIStatusError) and link.status_code >= 400:
            return "rate limit" if link.status_code == TOO_MANY_REQUESTS else f"status {link.status_code}"
    for why, kinds in KNOWN:
        if any(isinstance(link, kinds) for link in chain):
            return why
    return type(list(_chain(error, hidden=False))[-1]).__name__


def _chain(error: BaseException, *, hidden: bool = True) -> Iterator[BaseException]:
    """An error and what caused it.

    Args:
        error: the last one.
        hidden: with what the libraries do not name as the cause (`from None`): what really happened is often there.
    """
    link: BaseException | None = error
    for _ in range(LONGEST_CHAIN):
        if link is None:
            return
        yield link
        link = link.__cause__ or (link.__context__ if hidden else None)
