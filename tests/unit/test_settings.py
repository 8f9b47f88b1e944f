"""The environment and `.env`: precedence, aliases, and errors that name the key."""

from pathlib import Path

import pytest

from agent.settings import ModelRef, SettingsError, load_settings


def test_without_anything_all_models_are_local() -> None:
    """On a fresh machine nothing calls a cloud."""
    settings = load_settings({}, None)
    assert [settings.models(kind)[0].provider for kind in ("stt", "llm", "tts")] == ["local"] * 3
    assert settings.uses_local_models


def test_an_openai_key_alone_brings_the_large_model() -> None:
    """OPENAI_API_KEY turns the brain to OpenAI and leaves hearing and speaking local."""
    settings = load_settings({"OPENAI_API_KEY": "k"}, None)
    assert settings.models("llm")[0].provider == "openai"
    assert settings.models("stt")[0] == ModelRef("local", "moonshine-tiny-en")


def test_model_lists_keep_their_order_and_find_their_providers() -> None:
    """Each provider is reached where NAME_BASE_URL says."""
    env = {"LLM_MODELS": "groq/llama-3.3-70b, mine/a/b", "GROQ_API_KEY": "g", "MINE_BASE_URL": "https://h/v1/"}
    settings = load_settings(env, None)
    assert [str(ref) for ref in settings.models("llm")] == ["groq/llama-3.3-70b", "mine/a/b"]
    assert settings.provider("mine").base_url == "https://h/v1"


def test_a_provider_nobody_configured_is_an_error_that_names_the_variable() -> None:
    """The message says which variable is missing."""
    with pytest.raises(SettingsError, match="ACME_BASE_URL"):
        load_settings({"LLM_MODELS": "acme/x"}, None).provider("acme")


def test_the_guides_names_are_accepted(tmp_path: Path) -> None:
    """chatApiUrl, NEXT_PUBLIC_LIVEKIT_URL, appType and productId work; the environment wins over .env."""
    env_file = tmp_path / ".env"
    env_file.write_text(
        "chatApiUrl=wss://chat.example/ws/v1\nNEXT_PUBLIC_LIVEKIT_URL=wss://a\nappType=x\nproductId=p\n"
    )
    settings = load_settings({"LIVEKIT_URL": "wss://b"}, env_file)
    assert settings.chat_api_url == "wss://chat.example/ws/v1/"
    assert (settings.livekit_url, settings.app_type, settings.product_id) == ("wss://b", "x", "p")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("COLOUR=red", "COLOUR"),
        ("PAGE_PORT=eighty", "PAGE_PORT"),
        ("CHAT_API_URL=http://chat", "CHAT_API_URL"),
        ("LLM_MODELS=gpt-4", "LLM_MODELS"),
        ("CHAT_DIALECT=french", "CHAT_DIALECT"),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_it(tmp_path: Path, line: str, named: str) -> None:
    """An unknown key or a wrong value in .env stops the start."""
    env_file = tmp_path / ".env"
    env_file.write_text(line + "\n")
    with pytest.raises(SettingsError, match=named):
        load_settings({}, env_file)


def test_secrets_do_not_show() -> None:
    """A key that stands in the settings does not stand in their text."""
    settings = load_settings(
        {"OPENAI_API_KEY": "hunter2", "CHAT_TOKEN": "hunter2", "LIVEKIT_API_SECRET": "hunter2"}, None
    )
    assert "hunter2" not in repr(settings) + str(settings.providers)
