"""What the environment and `.env` say, parsed once into one frozen object.

A real environment variable wins over `.env`; `.env` wins over the defaults. The names of the integration guide
(`chatApiUrl`, `NEXT_PUBLIC_LIVEKIT_URL`, `appType`, `productId`) are accepted beside ours.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from dotenv import dotenv_values
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

ENV_FILE = Path(".env")
PROVIDER_KEY = re.compile(r"^(?P<provider>[A-Z][A-Z0-9_]*)_(?P<kind>BASE_URL|API_KEY)$")
WELL_KNOWN_BASE_URLS = {
    "openai": "https://api.openai.com/v1",
    "groq": "https://api.groq.com/openai/v1",
}
OPENAI_DEFAULTS = {
    "stt": "openai/gpt-4o-mini-transcribe",
    "llm": "openai/gpt-4.1-mini",
    "tts": "openai/gpt-4o-mini-tts",
}


class SettingsError(ValueError):
    """The environment or `.env` holds a key or a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class ModelRef:
    """One model at one provider, written `provider/model` (the model may hold more slashes)."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> "ModelRef":
        """Parse `provider/model`; raises ValueError naming the text when it is anything else."""
        provider, slash, model = text.strip().partition("/")
        if not slash or not provider or not model or not re.fullmatch(r"[a-z][a-z0-9_]*", provider):
            raise ValueError(f"{text.strip()!r} is not provider/model, such as local/responder or openai/gpt-4.1-mini")
        return cls(provider, model)

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


def _parse_models(value: object) -> object:
    if isinstance(value, str):
        return tuple(ModelRef.parse(part) for part in value.split(",") if part.strip())
    return value


ModelRefs = Annotated[tuple[ModelRef, ...], BeforeValidator(_parse_models)]


@dataclass(frozen=True)
class Provider:
    """Where an OpenAI-compatible provider is reached."""

    name: str
    base_url: str
    api_key: SecretStr


class Settings(BaseModel):
    """Every setting of the worker and of the embedded services. `.env.example` explains each to its user."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    # LiveKit
    livekit_url: str = Field("", validation_alias=AliasChoices("LIVEKIT_URL", "NEXT_PUBLIC_LIVEKIT_URL"))
    livekit_api_key: str = Field("", validation_alias="LIVEKIT_API_KEY")
    livekit_api_secret: SecretStr = Field(SecretStr(""), validation_alias="LIVEKIT_API_SECRET")
    agent_name: str = Field("voice-agent", min_length=1, validation_alias="AGENT_NAME")

    # chat
    chat_api_url: str = Field("", validation_alias=AliasChoices("CHAT_API_URL", "chatApiUrl"))
    chat_dialect: Literal["guide", "unpod"] = Field("guide", validation_alias="CHAT_DIALECT")
    chat_token: SecretStr = Field(SecretStr(""), validation_alias="CHAT_TOKEN")
    app_type: str = Field("", validation_alias=AliasChoices("APP_TYPE", "appType"))
    product_id: str = Field("", validation_alias=AliasChoices("PRODUCT_ID", "productId"))

    # models
    stt_models: ModelRefs = Field((), validation_alias="STT_MODELS")
    llm_models: ModelRefs = Field((), validation_alias="LLM_MODELS")
    tts_models: ModelRefs = Field((), validation_alias="TTS_MODELS")
    tts_voice: str = Field("", validation_alias="TTS_VOICE")
    local_model_threads: int = Field(1, ge=1, le=64, validation_alias="LOCAL_MODEL_THREADS")

    # the conversation
    brain: Literal["llm"] = Field("llm", validation_alias="BRAIN")
    history_turns: int = Field(50, ge=0, le=1000, validation_alias="HISTORY_TURNS")
    rejoin_seconds: float = Field(20.0, ge=0, le=600, validation_alias="REJOIN_SECONDS")

    # this machine
    data_dir: Path = Field(Path(".data"), validation_alias="DATA_DIR")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="LOG_LEVEL")
    page_port: int = Field(8080, ge=0, le=65535, validation_alias="PAGE_PORT")
    livekit_port: int = Field(7880, ge=0, le=65535, validation_alias="LIVEKIT_PORT")
    models_port: int = Field(8090, ge=0, le=65535, validation_alias="MODELS_PORT")
    worker_port: int = Field(8081, ge=0, le=65535, validation_alias="WORKER_PORT")
    worker_host: str = Field("127.0.0.1", min_length=1, validation_alias="WORKER_HOST")
    worker_idle_processes: int = Field(1, ge=0, le=64, validation_alias="WORKER_IDLE_PROCESSES")
    worker_max_load: float = Field(0.7, gt=0, validation_alias="WORKER_MAX_LOAD")
    drain_seconds: int = Field(300, ge=0, le=86_400, validation_alias="DRAIN_SECONDS")

    providers: Mapping[str, Provider] = Field(default_factory=dict, exclude=True)

    @field_validator("livekit_url")
    @classmethod
    def _livekit_scheme(cls, url: str) -> str:
        if url and not url.startswith(("ws://", "wss://", "http://", "https://")):
            raise ValueError("must start with ws:// or wss://")
        return url

    @field_validator("chat_api_url")
    @classmethod
    def _chat_scheme(cls, url: str) -> str:
        if url and not url.startswith(("ws://", "wss://")):
            raise ValueError("must start with ws:// or wss://, e.g. ws://127.0.0.1:8080/ws/v1/")
        return url if not url or url.endswith("/") else url + "/"

    @model_validator(mode="after")
    def _no_social_for_unpod(self) -> Self:
        if self.chat_dialect == "unpod" and self.app_type == "social":
            raise ValueError("APP_TYPE: social makes the unpod service drop every message; unset it or choose another")
        return self

    def models(self, kind: Literal["stt", "llm", "tts"]) -> tuple[ModelRef, ...]:
        """The models of a kind in the order in which they are tried; never empty.

        What `STT_MODELS`, `LLM_MODELS` or `TTS_MODELS` say; unset, the model at OpenAI for the LLM when
        `OPENAI_API_KEY` is set; else the local one.
        """
        chosen: tuple[ModelRef, ...] = getattr(self, f"{kind}_models")
        if chosen:
            return chosen
        if kind == "llm" and "openai" in self.providers:
            return (ModelRef.parse(OPENAI_DEFAULTS["llm"]),)
        return (ModelRef("local", {"stt": "moonshine-tiny-en", "llm": "responder", "tts": "hibari"}[kind]),)

    def provider(self, name: str) -> Provider:
        """Where a provider is reached; raises SettingsError naming the missing variable when nobody said."""
        if name in self.providers:
            return self.providers[name]
        if name == "local":
            return Provider("local", f"http://127.0.0.1:{self.models_port}/v1", SecretStr("local"))
        variable = f"{name.upper()}_API_KEY" if name in WELL_KNOWN_BASE_URLS else f"{name.upper()}_BASE_URL"
        raise SettingsError(f"provider {name!r} is named in a model list, but {variable} is not set")

    @property
    def uses_local_models(self) -> bool:
        """Whether any model comes from the embedded models server."""
        refs = (*self.models("stt"), *self.models("llm"), *self.models("tts"))
        return "local" not in self.providers and any(ref.provider == "local" for ref in refs)


def _known_names() -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for field, info in Settings.model_fields.items():
        alias = info.validation_alias
        if isinstance(alias, AliasChoices):
            names[field] = tuple(str(choice) for choice in alias.choices)
        elif isinstance(alias, str):
            names[field] = (alias,)
    return names


def _find_providers(env: Mapping[str, str]) -> dict[str, Provider]:
    found: dict[str, dict[str, str]] = {}
    for key, value in env.items():
        if (match := PROVIDER_KEY.match(key)) and value:
            found.setdefault(match["provider"].lower(), {})[match["kind"]] = value
    providers = {}
    for name, parts in found.items():
        base_url = parts.get("BASE_URL") or WELL_KNOWN_BASE_URLS.get(name)
        if base_url:
            providers[name] = Provider(name, base_url.rstrip("/"), SecretStr(parts.get("API_KEY", "none")))
    return providers


def load_settings(env: Mapping[str, str] | None = None, env_file: Path | None = ENV_FILE) -> Settings:
    """Read the environment and `.env` into Settings.

    Args:
        env: the environment; by default that of this process.
        env_file: the `.env` file, or None to read none. One that does not exist counts as empty.

    Raises:
        SettingsError: a key of `.env` is unknown, or a value cannot be used; the message names it, never its value.
    """
    environ = dict(os.environ if env is None else env)
    names = _known_names()
    known = {name for choices in names.values() for name in choices}
    from_file: dict[str, str] = {}
    if env_file is not None and env_file.is_file():
        from_file = {k: v for k, v in dotenv_values(env_file).items() if v is not None}
        unknown = sorted(k for k in from_file if k not in known and not PROVIDER_KEY.match(k))
        if unknown:
            raise SettingsError(f"{env_file}: unknown setting {', '.join(unknown)}; .env.example lists every setting")
    merged = {**from_file, **environ}
    given: dict[str, object] = {}
    for choices in names.values():
        for name in choices:
            if merged.get(name, "") != "":
                given[choices[0]] = merged[name]
                break
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems = "; ".join(
            ": ".join([*map(str, e["loc"][:1]), e["msg"].removeprefix("Value error, ")]) for e in error.errors()
        )
        raise SettingsError(f"{problems} (see .env.example)") from None
    return settings.model_copy(update={"providers": _find_providers(merged)})
