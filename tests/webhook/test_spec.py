"""Which addresses a webhook may have."""

import pytest
from pydantic import ValidationError

from agent.settings import SettingsError, load_settings
from agent.webhook.endpoint import EndpointError, endpoint_of, target_of
from agent.webhook.spec import WebhookSpec
from tests.support.webhook_receiver import SECRET


@pytest.mark.parametrize(
    "url", ["https://example.com/hook?team=7", "http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]:8000/"]
)
def test_https_goes_anywhere_and_http_to_this_machine(url: str) -> None:
    """These are taken as they are."""
    assert WebhookSpec(url=url).url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/hook", "https"),
        ("http://127.0.0.1.example.com/", "https"),
        ("http://localhost.example.com/", "https"),
        ("ftp://example.com/", "https"),
        ("example.com/hook", "https"),
        ("https://", "https"),
        ("https://user:secret@example.com/", "user name"),
        ("https://example.com:port/", "no address"),
        ("https://[::1", "no address"),
        ("https://example.com/#x", "after #"),
    ],
)
def test_other_addresses_are_refused_with_a_reason(url: str, why: str) -> None:
    """In a profile and in the settings alike."""
    with pytest.raises(ValidationError, match=why):
        WebhookSpec(url=url)
    with pytest.raises(SettingsError, match=f"WEBHOOK_URL.*{why}"):
        load_settings({"WEBHOOK_URL": url, "WEBHOOK_SECRET": SECRET}, None)


def test_http_to_other_hosts_has_to_be_allowed() -> None:
    """By a setting, or in the profile."""
    url = "http://example.com/hook"
    settings = load_settings({"WEBHOOK_URL": url, "WEBHOOK_SECRET": SECRET, "WEBHOOK_ALLOW_HTTP": "true"}, None)
    assert settings.webhook_url == url
    assert WebhookSpec(url=url, allow_http=True).url == url


def test_a_webhook_without_a_usable_secret_stops_the_start() -> None:
    """Nobody could trust what it sends; the message does not hold the value."""
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET"):
        load_settings({"WEBHOOK_URL": "https://example.com"}, None)
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET") as caught:
        load_settings({"WEBHOOK_URL": "https://example.com", "WEBHOOK_SECRET": "hunter2"}, None)
    assert "hunter2" not in str(caught.value)


def test_a_mended_address_counts_for_what_is_queued_already() -> None:
    """The journal keeps that it was the webhook of the settings, not where that was."""
    settings = load_settings({"WEBHOOK_URL": "https://old.example", "WEBHOOK_SECRET": SECRET}, None)
    target = target_of(None, settings)
    assert target is not None
    mended = load_settings({"WEBHOOK_URL": "https://new.example", "WEBHOOK_SECRET": SECRET}, None)
    assert endpoint_of(target, mended).spec.host == "new.example"
    with pytest.raises(EndpointError, match="WEBHOOK_URL"):
        endpoint_of(target, load_settings({}, None))


def test_a_profiles_webhook_has_its_own_secret() -> None:
    """It goes before that of the settings; the journal keeps the secret's name alone."""
    settings = load_settings({"WEBHOOK_URL": "https://old.example", "WEBHOOK_SECRET": SECRET}, None)
    target = target_of(WebhookSpec(url="https://team.example/x", secret_env="TEAM_SECRET"), settings)
    assert target is not None
    assert SECRET not in target
    endpoint = endpoint_of(target, settings, {"TEAM_SECRET": SECRET})
    assert endpoint.spec.host == "team.example"
    assert str(endpoint.key) not in repr(endpoint)
    with pytest.raises(EndpointError, match="TEAM_SECRET"):
        endpoint_of(target, settings, {})
