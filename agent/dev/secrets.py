"""The secrets of the embedded stack: made at the first start, kept in the data folder, for their owner's eyes only."""

import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError


class DevSecrets(BaseModel):
    """Keys that the embedded services and the worker share; never printed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    livekit_api_key: str
    livekit_api_secret: str
    chat_jwt_secret: str

    def livekit_secret(self) -> SecretStr:
        """The LiveKit secret in the form of the settings."""
        return SecretStr(self.livekit_api_secret)


def load_dev_secrets(data_dir: Path) -> DevSecrets:
    """Read `secrets.json` of the data folder, making it first if it is not there.

    Raises:
        ValueError: the file is damaged; the message says to delete it.
    """
    path = data_dir / "secrets.json"
    try:
        return DevSecrets.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return _create(path)
    except ValidationError:
        raise ValueError(f"{path} is damaged: delete it and start again (signed-in users sign in anew)") from None


def _create(path: Path) -> DevSecrets:
    made = DevSecrets(
        livekit_api_key="API" + secrets.token_hex(6),
        livekit_api_secret=secrets.token_urlsafe(36),
        chat_jwt_secret=secrets.token_urlsafe(36),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(made.model_dump(), file, indent=2)
    try:
        os.link(temporary, path)  # two first starts at once: the first one's file stands
    except FileExistsError:
        return load_dev_secrets(path.parent)
    finally:
        temporary.unlink()
    return made
