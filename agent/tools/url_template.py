"""The address of a tool: a URL with places for arguments, in its path and its query alone. Pure."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from yarl import URL

from agent.tools.arguments import ArgumentsError

PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,99})\}")
MAX_URL = 8000  # characters
_PARTS = re.compile(r"(?P<origin>https?://[^/?#]+)(?P<rest>[^#]*)", re.IGNORECASE)
_SEGMENTS_THAT_MOVE = frozenset({".", ".."})


def placeholders(template: str) -> list[str]:
    """The names of the arguments that have a place in the address."""
    return PLACEHOLDER.findall(template)


def check_template(template: str) -> None:
    """Refuse an address that is none.

    Raises:
        ValueError: it is no http(s) address, or has a place, a secret or a password where none can be.
    """
    if "${" in template:
        raise ValueError("secrets are for headers and auth: an address stands in other people's logs")
    if len(template) > MAX_URL or any(not 32 < ord(c) < 127 for c in template):
        raise ValueError(f"must be at most {MAX_URL} printable ASCII characters without spaces")
    parts = _PARTS.fullmatch(template)
    if parts is None:
        raise ValueError("must be an http:// or https:// address without a fragment")
    if "{" in parts["origin"] or "}" in parts["origin"]:
        raise ValueError("arguments have places in the path and the query, not in the host")
    if re.search(r"[{}]", PLACEHOLDER.sub("", parts["rest"])):
        raise ValueError("a place is written {name}")
    names = placeholders(template)
    if len(names) != len(set(names)):
        raise ValueError("an argument has one place")
    try:
        url = URL(PLACEHOLDER.sub("x", template), encoded=True)
        host, port = url.raw_host, url.port  # port: out of range is an error too
    except ValueError:
        raise ValueError("is no address") from None
    if not host or not port:
        raise ValueError("has no host")
    if url.raw_user is not None or url.raw_password is not None:
        raise ValueError("holds a user or a password: use headers or auth")


def host_of(template: str) -> str:
    """The host that a checked address names, as it is looked up."""
    return (URL(PLACEHOLDER.sub("x", template)).raw_host or "").lower()


def fill(template: str, values: Mapping[str, str], query: Mapping[str, str]) -> URL:
    """The address of one call.

    Args:
        template: a checked address.
        values: what goes into its places; each stays one segment, or one value of the query.
        query: what is added to its query.

    Raises:
        ArgumentsError: a value would lead to another path.
    """
    path, question, rest = template.partition("?")
    for name in placeholders(path):
        # A server may decode a slash before it follows the dots.
        if not values[name] or not _SEGMENTS_THAT_MOVE.isdisjoint(re.split(r"[/\\]", values[name])):
            raise ArgumentsError(f"argument {name}: must not be empty, '.' or '..'")

    def value(match: re.Match[str]) -> str:
        return quote(values[match[1]], safe="")

    added = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in query.items())
    whole = "&".join(part for part in (PLACEHOLDER.sub(value, rest), added) if part)
    path = PLACEHOLDER.sub(value, path)
    if not _SEGMENTS_THAT_MOVE.isdisjoint(path.split("/")):
        raise ArgumentsError("the arguments together would lead to another path")
    filled = path + ("?" + whole if question or whole else "")
    if len(filled) > MAX_URL:
        raise ArgumentsError("the arguments are too long for an address")
    return URL(filled, encoded=True)
