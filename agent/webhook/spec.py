"""Where a webhook is and how it is signed, as a profile or the settings say it."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from agent.private_urls import is_loopback

MAX_URL = 2_000
DEFAULT_SECRET = "WEBHOOK_SECRET"


class WebhookSpec(BaseModel):
    """One webhook. It is kept in the journal with each call, so it holds the name of the secret and not the secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    url: Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL)]
    """Where notices are posted: https://…; http only to this machine, unless `allow_http`."""
    secret_env: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")] = DEFAULT_SECRET
    """The variable of the worker's environment that holds the secret."""
    allow_http: bool = False
    """Whether http is allowed to any host: whoever is in between reads and changes what is sent."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        check_url(self.url, allow_http=self.allow_http)
        return self

    @property
    def host(self) -> str:
        """Host and port, the part of the address that may be logged."""
        parts = urlsplit(self.url)
        return parts.netloc.rpartition("@")[2]


def check_url(url: str, *, allow_http: bool) -> None:
    """Raise ValueError, which says what is wrong, for an address that nothing may be posted to."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("is no address") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("must start with https://")
    if parts.username or parts.password:
        raise ValueError("must hold no user name or password")
    if parts.fragment:
        raise ValueError("must have no part after #")
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname):
        raise ValueError("must start with https:// (http is for this machine only, or with WEBHOOK_ALLOW_HTTP=true)")
