"""From a tool and the arguments of a call to the request that is sent. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from yarl import URL

from agent.tools.arguments import ArgumentsError
from agent.tools.spec import WITH_BODY, ToolSpec
from agent.tools.url_template import fill, placeholders

MAX_BODY = 1_000_000  # bytes
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class RedirectRefused(Exception):
    """A redirect that is not followed; the message says why and names no address."""


@dataclass(frozen=True, slots=True, repr=False)
class HttpRequest:
    """One request; its `repr` shows nothing, since it holds secrets and what people said.

    Attributes:
        headers: what every host may see.
        private_headers: what only the origin of the tool may see: secrets, and whatever else the profile sets.
    """

    method: str
    url: URL
    headers: Mapping[str, str]
    private_headers: Mapping[str, str]
    body: bytes | None = None

    def with_private(self, headers: Mapping[str, str]) -> "HttpRequest":
        """The same request with further private headers."""
        return replace(self, private_headers={**self.private_headers, **headers})


def build_request(
    spec: ToolSpec, arguments: Mapping[str, Any], headers: Mapping[str, str], idempotency_key: str
) -> HttpRequest:
    """The request of one call.

    Args:
        spec: the tool.
        arguments: what fits its schema.
        headers: the headers of the profile with their secrets.
        idempotency_key: the same for every attempt of one call.

    Raises:
        ArgumentsError: an argument cannot stand where it belongs.
    """
    in_path = {name: _as_text(name, arguments[name]) for name in placeholders(spec.url)}
    query: dict[str, str] = {}
    body: dict[str, Any] = {}
    private = dict(headers)
    for name, value in arguments.items():
        place = spec.place_of(name)
        if place == "query":
            query[name] = _as_text(name, value)
        elif place == "body":
            body[name] = value
        elif place != "path":
            private[place.removeprefix("header ")] = _as_header(name, value)
    if spec.idempotency_header is not None:
        private[spec.idempotency_header] = idempotency_key
    shown = {"Accept": "application/json, text/*;q=0.9, */*;q=0.1", "Accept-Encoding": "identity"}
    content = None
    if spec.method in WITH_BODY:
        shown["Content-Type"] = "application/json"
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        if len(content) > MAX_BODY:
            raise ArgumentsError("the arguments are too long")
    shown = {name: value for name, value in shown.items() if name.lower() not in {n.lower() for n in private}}
    return HttpRequest(spec.method, fill(spec.url, in_path, query), shown, private, content)


def redirected(request: HttpRequest, status: int, location: str | None) -> HttpRequest:
    """The request that follows from a redirect (RFC 9110, section 15.4).

    To another origin (scheme, host and port) it takes no private header along.

    Raises:
        RedirectRefused: it leads nowhere, away from https, or to an address with a password.
    """
    try:
        url = request.url.join(URL(location or ""))
        host, port = url.raw_host, url.port
    except ValueError:
        raise RedirectRefused("the redirect is no address") from None
    if location is None or not host or not port or url.scheme not in ("http", "https"):
        raise RedirectRefused("the redirect is no http(s) address")
    if request.url.scheme == "https" and url.scheme == "http":
        raise RedirectRefused("the redirect leads from https to http")
    if url.raw_user is not None or url.raw_password is not None:
        raise RedirectRefused("the redirect holds a user or a password")
    moved = replace(request, url=url.with_fragment(None))
    if (status == 303 and request.method != "HEAD") or (status in (301, 302) and request.method == "POST"):
        kept = {name: value for name, value in request.headers.items() if name != "Content-Type"}
        moved = replace(moved, method="GET", body=None, headers=kept)
    if url.origin() != request.url.origin():
        moved = replace(moved, private_headers={})
    return moved


def _as_text(name: str, value: Any) -> str:
    """A value as it stands in an address: a list is separated by commas, an object is JSON."""
    match value:
        case str():
            text = value
        case bool():
            text = "true" if value else "false"
        case None:
            text = ""
        case int() | float():
            text = json.dumps(value)
        case list() if all(isinstance(part, str | int | float) for part in value):
            text = ",".join(_as_text(name, part) for part in value)
        case _:
            text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentsError(f"argument {name}: is not valid Unicode") from None
    return text


def _as_header(name: str, value: Any) -> str:
    text = _as_text(name, value)
    if _CONTROL.search(text):
        raise ArgumentsError(f"argument {name}: must be one line")
    return text
