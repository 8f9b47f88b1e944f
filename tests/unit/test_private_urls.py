"""What is not encrypted stays on this machine unless somebody allows it otherwise."""

import pytest

from agent.private_urls import problem_with
from agent.settings import SettingsError, load_settings

KEYS = {"LIVEKIT_API_KEY": "k", "LIVEKIT_API_SECRET": "s"}


@pytest.mark.parametrize(
    "url",
    [
        "wss://livekit.example.com",
        "https://api.example.com/v1",
        "ws://127.0.0.1:7880",
        "ws://127.8.9.1:7880",
        "ws://localhost:7880",
        "http://[::1]:8090/v1",
    ],
)
def test_encrypted_or_on_this_machine_is_private(url: str) -> None:
    """Nothing has to be allowed for these."""
    assert problem_with(url, allow_insecure=False) is None


@pytest.mark.parametrize(
    "url",
    [
        "ws://livekit.example.com",
        "http://10.0.0.1/v1",
        "ws://localhost.example.com",
        "ws://127.0.0.1.example.com",
        "ws://0.0.0.0:7880",
        "http://[::ffff:10.0.0.1]/",
    ],
)
def test_plain_to_another_machine_must_be_allowed(url: str) -> None:
    """Private networks count as others, too; the message says what to do."""
    problem = problem_with(url, allow_insecure=False)
    assert problem is not None
    assert "ALLOW_INSECURE=true" in problem
    assert problem_with(url, allow_insecure=True) is None


@pytest.mark.parametrize("url", ["wss://", "wss://user:pass@chat.example.com/", "wss://[::1", "wss://h:99999/"])
def test_what_is_no_address_or_holds_a_password_never_is(url: str) -> None:
    """The message repeats nothing of it."""
    problem = problem_with(url, allow_insecure=True)
    assert problem is not None
    assert "pass@" not in problem


@pytest.mark.parametrize(
    ("variable", "value", "more"),
    [
        ("LIVEKIT_URL", "ws://livekit.example.com", KEYS),
        ("CHAT_API_URL", "ws://chat.example.com/ws/v1/", {}),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example.com:4318", {}),
        ("MINE_BASE_URL", "http://models.example.com/v1", {"LLM_MODELS": "mine/model"}),
        ("OPENAI_BASE_URL", "http://models.example.com/v1", {"OPENAI_API_KEY": "k"}),
    ],
)
def test_each_address_of_the_settings_is_checked(variable: str, value: str, more: dict[str, str]) -> None:
    """The start ends with a message that names the variable."""
    with pytest.raises(SettingsError, match=f"{variable}: .*not encrypted"):
        load_settings({variable: value, **more}, None)
    load_settings({variable: value, **more, "ALLOW_INSECURE": "true"}, None)


def test_a_provider_that_no_list_names_does_not_stop_the_start() -> None:
    """Variables of other programs look like ours; they count once a model is asked for there."""
    settings = load_settings({"OTHER_BASE_URL": "http://proxy.example.com"}, None)
    with pytest.raises(SettingsError, match="OTHER_BASE_URL"):
        settings.provider("other")
