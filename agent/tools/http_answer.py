"""The answer to a tool's request: read as far as it may be long, and no further, whatever its headers say."""

import zlib
from dataclasses import dataclass

import aiohttp

CHUNK = 65_536
# What a server may use though it is asked for none: the window bits by which zlib knows each.
_DECODERS = {"gzip": 31, "x-gzip": 31, "deflate": 47}
_TEXT_TYPES = ("json", "xml", "javascript", "x-www-form-urlencoded", "yaml", "csv")


class AnswerTooLarge(Exception):
    """The answer is larger than the tool allows; reading has stopped. `status` is what it began with."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class AnswerUnreadable(Exception):
    """The answer is coded in a way that was not asked for, or wrongly; the message says which."""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What a server said. `size` is in bytes, decoded."""

    status: int
    text: str
    size: int


async def read_answer(response: aiohttp.ClientResponse, max_bytes: int) -> Answer:
    """Read a response whose body is not decoded yet.

    Raises:
        AnswerTooLarge: it has, or says that it has, more than `max_bytes` after decoding.
        AnswerUnreadable: its content coding is unknown or broken.
    """
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if response.content_length is not None and response.content_length > max_bytes:
        raise AnswerTooLarge(response.status)
    body = bytearray()
    decoder = _Decoder(coding)
    async for chunk in response.content.iter_chunked(CHUNK):
        body += decoder.decode(chunk, max_bytes + 1 - len(body))
        if len(body) > max_bytes:
            raise AnswerTooLarge(response.status)
    if body and not decoder.complete:
        raise AnswerUnreadable("the answer ends in the middle of its content coding")
    return Answer(response.status, _as_text(bytes(body), response.content_type, response.charset), len(body))


def cut(text: str, characters: int) -> str:
    """The beginning of a text, saying so where it is not all of it."""
    if len(text) <= characters:
        return text
    return f"{text[:characters]}… (the first {characters} of {len(text)} characters)"


class _Decoder:
    def __init__(self, coding: str) -> None:
        if coding not in ("", "identity", *_DECODERS):
            raise AnswerUnreadable("the answer has an unknown content coding")
        self._inflate = zlib.decompressobj(_DECODERS[coding]) if coding in _DECODERS else None

    @property
    def complete(self) -> bool:
        """Whether what was decoded so far is a whole."""
        return self._inflate is None or self._inflate.eof

    def decode(self, chunk: bytes, at_most: int) -> bytes:
        """What a chunk holds, at most so many bytes of it: a bomb never lies in memory."""
        if self._inflate is None:
            return chunk
        try:
            return self._inflate.decompress(chunk, at_most)
        except zlib.error:
            raise AnswerUnreadable("the answer is not coded as it says") from None


def _as_text(body: bytes, content_type: str, charset: str | None) -> str:
    if body and not (content_type.startswith("text/") or any(word in content_type for word in _TEXT_TYPES)):
        return f"(a file of type {content_type[:100]}, {len(body)} bytes)"
    try:
        text = body.decode(charset or "utf-8", "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    return "".join(c if c in "\n\t" or c.isprintable() else " " for c in text.replace("\r\n", "\n")).strip()
