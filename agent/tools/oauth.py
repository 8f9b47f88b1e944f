"""Access tokens by client credentials (RFC 6749, section 4.4): fetched when needed, once more after a 401."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from yarl import URL

from agent.tools.failure import Status, ToolFailure
from agent.tools.http_answer import Answer
from agent.tools.http_request import HttpRequest
from agent.tools.secrets import resolve
from agent.tools.spec import ClientCredentials

Exchange = Callable[[HttpRequest], Awaitable[Answer]]
# A token is not used in its last seconds: the request has to arrive with it.
MARGIN_S = 30.0
DEFAULT_LIFETIME_S = 300.0
MAX_TOKEN = 16_000  # characters


@dataclass(frozen=True, slots=True, repr=False)
class AccessToken:
    """A token and when it ends (seconds, monotonic)."""

    value: str
    ends_at: float


class TokenSource:
    """The access token of one tool.

    Args:
        auth: where it comes from.
        environment: where the secret is.
        where: which tool this is, for errors.

    Raises:
        ToolConfigError: the secret is not set.
    """

    def __init__(self, auth: ClientCredentials, environment: Mapping[str, str], where: str) -> None:
        client_id = resolve(auth.client_id, environment, f"{where}: auth.client_id")
        secret = resolve(auth.client_secret, environment, f"{where}: auth.client_secret")
        self.secrets: set[str] = {*client_id.secrets, *secret.secrets}
        form = {"grant_type": "client_credentials", "client_id": client_id.text, "client_secret": secret.text}
        if auth.scope:
            form["scope"] = auth.scope
        self._request = HttpRequest(
            "POST",
            URL(auth.token_url, encoded=True),
            {"Accept": "application/json", "Accept-Encoding": "identity"},
            {"Content-Type": "application/x-www-form-urlencoded"},
            urlencode(form).encode(),
        )
        self._token: AccessToken | None = None
        self._fetching = asyncio.Lock()

    async def header(self, exchange: Exchange, rejected: str | None = None) -> str:
        """The `Authorization` header.

        Args:
            exchange: sends a request, following no redirect.
            rejected: the header that the server did not accept; a token that is newer than it is used as it is.

        Raises:
            ToolFailure: there is no token to be had.
        """
        async with self._fetching:
            token = self._token
            if token is None or token.ends_at < time.monotonic() or _as_header(token) == rejected:
                token = self._token = _read_token(await exchange(self._request))
                self.secrets.add(token.value)
            return _as_header(token)


def _as_header(token: AccessToken) -> str:
    return f"Bearer {token.value}"


def _read_token(answer: Answer) -> AccessToken:
    try:
        data: Any = json.loads(answer.text) if answer.status == 200 else None
        value, lifetime = data["access_token"], float(data.get("expires_in") or DEFAULT_LIFETIME_S)
        usable = isinstance(value, str) and 0 < len(value) <= MAX_TOKEN and value.isascii() and value.isprintable()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        usable, value, lifetime = False, "", 0.0
    if not usable:
        raise ToolFailure(Status.ERROR, "The tool could not sign in to its server.", http=answer.status)
    return AccessToken(value, time.monotonic() + max(0.0, lifetime - MARGIN_S))
