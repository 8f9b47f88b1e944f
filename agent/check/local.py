"""The settings as the worker of `make dev` gets them: its own services where the settings name no others."""

from pydantic import SecretStr

from agent.dev.chat.credentials import agent_token
from agent.dev.secrets import load_dev_secrets
from agent.settings import Settings

START = "start everything with `make dev`"
LOOPBACK = "127.0.0.1"


def with_local_services(settings: Settings) -> Settings:
    """Fill in the addresses of `make dev`, and its keys if it ever ran here; nothing is made for it.

    Raises:
        ValueError: the file with its keys is damaged; the message says what to do.
    """
    secrets = load_dev_secrets(settings.data_dir) if (settings.data_dir / "secrets.json").exists() else None
    update: dict[str, object] = {}
    if not settings.livekit_url:
        update["livekit_url"] = f"ws://{LOOPBACK}:{settings.livekit_port}"
        if secrets is not None:
            update["livekit_api_key"] = secrets.livekit_api_key
            update["livekit_api_secret"] = secrets.livekit_secret()
    if not settings.chat_api_url:
        update["chat_api_url"] = f"ws://{LOOPBACK}:{settings.page_port}/ws/v1/"
        if secrets is not None and not settings.chat_token.get_secret_value():
            update["chat_token"] = SecretStr(agent_token(secrets))
    return settings.model_copy(update=update)
