"""What a provider may do wrong, as words: `provider.next(status(503), cut_after(3))`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hang:
    """No answer ever comes, not even its head."""


@dataclass(frozen=True)
class Refusal:
    """An HTTP status that is no answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Lie:
    """A 200 with something else."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class Broken:
    """A true answer whose pieces come only so far.

    Attributes:
        after: how many pieces are sent.
        then: whether the connection is `cut`, the answer `ends` politely, or there is silence (`stall`).
    """

    after: int
    then: str


@dataclass(frozen=True)
class Endless:
    """The pieces of a true answer again and again."""


Fault = Hang | Refusal | Lie | Broken | Endless


def hang() -> Fault:
    """Take the request and never answer."""
    return Hang()


def status(code: int, *, retry_after: str | None = None) -> Fault:
    """Refuse with a status, and say when to come back."""
    return Refusal(code, (("Retry-After", retry_after),) if retry_after is not None else ())


def html() -> Fault:
    """A sign-in page with status 200, as a captive portal sends it."""
    return Lie("text/html", b"<!doctype html><html><body><h1>Please sign in</h1></body></html>")


def body(content_type: str, content: bytes) -> Fault:
    """Status 200 with this."""
    return Lie(content_type, content)


def cut_after(pieces: int) -> Fault:
    """Break the connection after so many pieces."""
    return Broken(pieces, "cut")


def end_after(pieces: int) -> Fault:
    """End the answer as if it were whole."""
    return Broken(pieces, "end")


def stall_after(pieces: int) -> Fault:
    """Send so many pieces, and nothing more; with 0 it takes for ever until the first."""
    return Broken(pieces, "stall")


def endless() -> Fault:
    """Never stop."""
    return Endless()
