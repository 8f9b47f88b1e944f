"""Answers of the OpenAI API that are none fail at once, and say why.

livekit's plugins trust a 200: they play an error page as sound, and take a stream that stops for one that ends. The
errors raised here name no content, so that none gets into logs with them.
"""

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2

from agent.models import retry_after
from agent.models.failure import ModelFailed, NoApiAnswer

MEBIBYTE = 1024 * 1024
# Longer than any mark of an end, which the border of two parts may cut in two.
OVERLAP = 64


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answer of an endpoint looks like.

    Attributes:
        never: media types that are no answer; where a server names none, or another, its body decides.
        longest: bytes after which it is no answer any more.
        ends_with: what an event stream holds when it is whole.
    """

    never: tuple[str, ...]
    longest: int
    ends_with: re.Pattern[bytes] | None = None


MARKUP = ("text/html", "application/xhtml+xml", "application/xml", "text/xml")
EXPECTED = {
    "/audio/transcriptions": Expected(MARKUP, MEBIBYTE),
    "/chat/completions": Expected(
        (*MARKUP, "application/json"), 8 * MEBIBYTE, re.compile(rb'\[DONE\]|"finish_reason"\s*:\s*"')
    ),
    # 32 MiB are eleven minutes of 16-bit samples at 24 kHz.
    "/audio/speech": Expected(
        (*MARKUP, "application/json", "text/plain"), 32 * MEBIBYTE, re.compile(rb"\[DONE\]|speech\.audio\.done")
    ),
}


async def check_response(response: httpx2.Response) -> None:
    """A hook of an HTTP client, called when the headers are there; the body is watched from then on.

    Raises:
        NoApiAnswer: the response is none.
        ModelFailed: by reading the body.
    """
    if response.status_code >= 400:
        retry_after.note(response.headers.get("retry-after"), time.time())
    path = response.request.url.path
    expected = next((wanted for endpoint, wanted in EXPECTED.items() if path.endswith(endpoint)), None)
    if expected is None or response.status_code != httpx2.codes.OK:
        return
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in expected.never:
        raise NoApiAnswer
    # Of a compressed stream nothing can be seen here.
    watches_end = media_type == "text/event-stream" and "content-encoding" not in response.headers
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = _CheckedBody(response.stream, expected.longest, expected.ends_with if watches_end else None)


class _CheckedBody(httpx2.AsyncByteStream):
    def __init__(self, body: httpx2.AsyncByteStream, longest: int, ends_with: re.Pattern[bytes] | None) -> None:
        self._body = body
        self._left = longest
        self._ends_with = ends_with  # None once it was seen
        self._tail = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """May be called again, by whoever reads what another has left."""
        async for part in self._body:
            self._left -= len(part)
            if self._left < 0:
                raise ModelFailed("endless")
            if self._ends_with is not None:
                seen = self._tail + part
                self._tail = seen[-OVERLAP:]
                if self._ends_with.search(seen):
                    self._ends_with = None
            yield part
        if self._ends_with is not None:
            raise ModelFailed("connection lost")

    async def aclose(self) -> None:
        await self._body.aclose()
