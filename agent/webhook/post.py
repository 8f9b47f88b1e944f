"""One attempt to post a notice."""

import asyncio
import time

import aiohttp

from agent.journal import Notice
from agent.webhook.retry import Delivered, Outcome, Refused, Unavailable
from agent.webhook.signature import signature_headers
from agent.webhook.spec import WebhookSpec

TIMEOUT = aiohttp.ClientTimeout(total=10.0, connect=5.0)
MAX_ANSWER_BYTES = 64 * 1024
ANSWER_TIMEOUT_S = 1.0
MAX_HEADER_BYTES = 8 * 1024
USER_AGENT = "voice-chat-agent-webhook/1"
# Not now, rather than not at all.
TEMPORARY = frozenset({408, 425, 429})


def new_http() -> aiohttp.ClientSession:
    """The HTTP client of the webhook: certificates are verified, no cookies, no proxy from the environment."""
    return aiohttp.ClientSession(
        timeout=TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        auto_decompress=False,
    )


async def post(http: aiohttp.ClientSession, spec: WebhookSpec, key: bytes, notice: Notice) -> Outcome:
    """Post a notice once; redirects are not followed, and of the answer only the status counts.

    Args:
        http: see `new_http`.
        spec: where to.
        key: see `signature.parse_secret`.
        notice: what.
    """
    body = notice.body.encode()
    headers = {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        **signature_headers(key, notice.id, int(time.time()), body),
    }
    try:
        async with http.post(spec.url, data=body, headers=headers, allow_redirects=False) as response:
            status = response.status
            retry_after = _seconds(response.headers.get("retry-after"))
            await _read_away(response)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Unavailable(type(error).__name__)
    if 200 <= status < 300:
        return Delivered()
    if 300 <= status < 400:
        return Refused(f"answered {status}, a redirect, which is not followed")
    if 400 <= status < 500 and status not in TEMPORARY:
        return Refused(f"answered {status}")
    return Unavailable(f"answered {status}", retry_after)


async def _read_away(response: aiohttp.ClientResponse) -> None:
    """Read the answer, so that the connection can be used again; a long or slow one costs the connection instead."""
    read = 0
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            async for chunk in response.content.iter_chunked(8192):
                read += len(chunk)
                if read > MAX_ANSWER_BYTES:
                    response.close()
                    return
    except (aiohttp.ClientError, TimeoutError, OSError):
        response.close()


def _seconds(text: str | None) -> float | None:
    """A number of seconds; a date, which is the other form of the header, is not worth its parsing here."""
    return float(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 10 else None
