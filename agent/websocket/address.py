"""Where to connect: a URL with its query and headers, which show in no representation, log or error."""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from websockets.exceptions import InvalidURI
from websockets.uri import parse_uri

from agent.websocket.errors import AddressError

Scalar = str | int | float | bool

# RFC 9110, 5.6.2: a token. What a subprotocol and the name of a header may consist of.
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
UNSAFE_IN_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect and what to send along.

    Args:
        url: a `ws:` or `wss:` URL, which may have a query already.
        query_params: added to the query, encoded; one that the query has already is replaced.
        headers: sent with the handshake.
        protocols: the subprotocols to offer, the preferred one first.
    """

    url: str = field(repr=False)
    query_params: Mapping[str, Scalar] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    protocols: Sequence[str] = ()

    def __str__(self) -> str:
        """The address without credentials, for a log."""
        return redacted(self.url if not self.query_params else add_query(self.url, self.query_params))

    @property
    def full_url(self) -> str:
        """The URL with the whole query; never to be logged."""
        return add_query(self.url, self.query_params)

    def with_defaults(
        self, query_params: Mapping[str, Scalar], headers: Mapping[str, str], protocols: Sequence[str]
    ) -> "Address":
        """The same address with what it does not say itself."""
        return Address(
            self.url,
            {**query_params, **self.query_params},
            {**headers, **self.headers},
            tuple(self.protocols) or tuple(protocols),
        )

    def check(self) -> None:
        """Raise an AddressError, which names no value, unless a handshake can be made of this."""
        try:
            parse_uri(self.full_url)
        except (InvalidURI, ValueError):
            raise AddressError("the url is not a ws: or wss: address", final=True) from None
        for name, value in self.headers.items():
            if TOKEN.fullmatch(name) is None:
                raise AddressError("a header's name is not one", final=True)
            if UNSAFE_IN_HEADER.search(value) is not None or not _encodable(value):
                raise AddressError(f"the value of the header {name} holds control characters", final=True)
        for protocol in self.protocols:
            if TOKEN.fullmatch(protocol) is None:
                raise AddressError("a subprotocol's name is not one", final=True)


UrlResult = str | Address
Url = UrlResult | Callable[[], UrlResult | Awaitable[UrlResult]]


async def resolve(url: Url, timeout: float) -> Address:
    """The address of the next attempt; a function is asked anew each time, so that a token in it is fresh.

    Args:
        url: the address, or a plain or coroutine function that makes it.
        timeout: how long a coroutine may take, in seconds.

    Raises:
        AddressError: the function failed or took too long (not final), or gave no address (final).
    """
    result: object = url
    if callable(url):
        try:
            made = url()
            async with asyncio.timeout(timeout):
                result = await made if inspect.isawaitable(made) else made
        except TimeoutError:
            raise AddressError(f"the url function took longer than {timeout:g} s", final=False) from None
        except Exception as error:  # noqa: BLE001 - whatever it raises may quote a token: only its type is told
            raise AddressError(f"the url function failed ({type(error).__name__})", final=False) from None
    if not isinstance(result, str | Address):
        raise AddressError(f"the url function gave no address but {type(result).__name__}", final=True)
    return as_address(result)


def as_address(url: UrlResult) -> Address:
    """A plain url as an address."""
    return Address(url) if isinstance(url, str) else url


def add_query(url: str, params: Mapping[str, Scalar]) -> str:
    """The URL with these parameters, percent-encoded, in its query: what was there stays byte for byte, except for
    parameters of the same names, which are replaced.
    """
    if not params:
        return url
    scheme, host, path, query, fragment = urlsplit(url)
    kept = [pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in params]
    added = [f"{_encode(name)}={_encode(value)}" for name, value in params.items()]
    return urlunsplit((scheme, host, path, "&".join(kept + added), fragment))


def redacted(url: str) -> str:
    """The URL without user, password, query and fragment."""
    try:
        scheme, host, path, query, _ = urlsplit(url)
    except ValueError:
        return "(no valid url)"
    return f"{scheme}://{host.rpartition('@')[2]}{path}" + ("?…" if query else "")


def _encode(value: Scalar) -> str:
    """As JavaScript writes a value into a string: `true` and `false`."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return quote(text, safe="", errors="replace")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
