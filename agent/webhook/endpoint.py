"""From what the journal keeps of a webhook to the address and the key that a request needs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from agent.settings import Settings
from agent.webhook.signature import parse_secret
from agent.webhook.spec import DEFAULT_SECRET, WebhookSpec

# The webhook of the settings, whatever it is when the notice goes: a mistyped address can be mended.
OF_SETTINGS = "settings"


class EndpointError(ValueError):
    """A webhook cannot be used now; the message says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where notices go, and the key that signs them."""

    spec: WebhookSpec
    key: bytes = field(repr=False)


def target_of(spec: WebhookSpec | None, settings: Settings) -> str | None:
    """What the journal keeps of a call's webhook: the profile's, else that of the settings; None: there is none."""
    if spec is not None:
        return spec.model_dump_json()
    return OF_SETTINGS if settings.webhook_url else None


def endpoint_of(target: str, settings: Settings, env: Mapping[str, str] | None = None) -> Endpoint:
    """The endpoint of what `target_of` made.

    Args:
        target: what the journal has kept.
        settings: those of the worker.
        env: the environment, which holds the secrets of profiles; by default that of this process.

    Raises:
        EndpointError: the webhook or its secret is not configured any more.
    """
    if target == OF_SETTINGS:
        if not settings.webhook_url:
            raise EndpointError("WEBHOOK_URL is not set any more")
        target = WebhookSpec(url=settings.webhook_url, allow_http=settings.webhook_allow_http).model_dump_json()
    try:
        spec = WebhookSpec.model_validate_json(target)
    except ValidationError:
        raise EndpointError("the journal holds an address that cannot be used") from None
    environ = os.environ if env is None else env
    secret = environ.get(spec.secret_env, "")
    if spec.secret_env == DEFAULT_SECRET:
        secret = settings.webhook_secret.get_secret_value()
    try:
        return Endpoint(spec, parse_secret(secret))
    except ValueError as error:
        raise EndpointError(f"{spec.secret_env}: {error}") from None
