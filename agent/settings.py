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
from urllib.parse import unquote, urlsplit

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

from agent.private_urls import problem_with
from agent.redis_address import problem_with_address
from agent.webhook.signature import parse_secret
from agent.webhook.spec import check_url

ENV_FILE = Path(".env")
ModelKind = Literal["stt", "llm", "tts"]
KINDS: tuple[ModelKind, ...] = ("stt", "llm", "tts")
PROVIDER_KEY = re.compile(r"^(?P<provider>[A-Z][A-Z0-9_]*)_(?P<kind>BASE_URL|API_KEY)$")
WELL_KNOWN_BASE_URLS = {
    "openai": "https://api.openai.com/v1",
    "groq": "https://api.groq.com/openai/v1",
}
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
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


def _parse_model(value: object) -> object:
    return (ModelRef.parse(value) if value.strip() else None) if isinstance(value, str) else value


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
    sentence_model: Annotated[ModelRef | None, BeforeValidator(_parse_model)] = Field(
        None, validation_alias="SENTENCE_MODEL"
    )
    stt_seconds: float = Field(4.0, gt=0, le=120, validation_alias="STT_SECONDS")
    llm_first_token_seconds: float = Field(4.0, gt=0, le=120, validation_alias="LLM_FIRST_TOKEN_SECONDS")
    llm_stall_seconds: float = Field(4.0, gt=0, le=120, validation_alias="LLM_STALL_SECONDS")
    tts_first_audio_seconds: float = Field(3.0, gt=0, le=120, validation_alias="TTS_FIRST_AUDIO_SECONDS")
    tts_stall_seconds: float = Field(2.0, gt=0, le=120, validation_alias="TTS_STALL_SECONDS")
    model_rest_seconds: float = Field(5.0, gt=0, le=3600, validation_alias="MODEL_REST_SECONDS")
    model_longest_rest_seconds: float = Field(120.0, gt=0, le=3600, validation_alias="MODEL_LONGEST_REST_SECONDS")
    local_model_threads: int = Field(1, ge=1, le=64, validation_alias="LOCAL_MODEL_THREADS")

    # the conversation
    brain: Literal["llm", "chat"] = Field("llm", validation_alias="BRAIN")
    history_turns: int = Field(50, ge=0, le=1000, validation_alias="HISTORY_TURNS")
    context_tokens: int = Field(6000, ge=500, le=1_000_000, validation_alias="CONTEXT_TOKENS")
    rejoin_seconds: float = Field(20.0, ge=0, le=600, validation_alias="REJOIN_SECONDS")
    profiles: str = Field("profiles", min_length=1, validation_alias="PROFILES")
    profiles_token: SecretStr = Field(SecretStr(""), validation_alias="PROFILES_TOKEN")

    # after the call
    webhook_url: str = Field("", validation_alias="WEBHOOK_URL")
    webhook_secret: SecretStr = Field(SecretStr(""), validation_alias="WEBHOOK_SECRET")
    webhook_allow_http: bool = Field(False, validation_alias="WEBHOOK_ALLOW_HTTP")
    prices_file: Path | None = Field(None, validation_alias="PRICES_FILE")

    # this machine
    data_dir: Path = Field(Path(".data"), validation_alias="DATA_DIR")
    journal_url: SecretStr = Field(SecretStr(""), validation_alias="JOURNAL_URL")
    recordings_dir: Path | None = Field(None, validation_alias="RECORDINGS_DIR")
    recording_days: int = Field(30, ge=1, le=3650, validation_alias="RECORDING_DAYS")
    journal_days: float = Field(30.0, gt=0, le=3650, validation_alias="JOURNAL_DAYS")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="LOG_LEVEL")
    log_format: Literal["text", "json"] = Field("text", validation_alias="LOG_FORMAT")
    otlp_endpoint: str = Field("", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    otlp_headers: SecretStr = Field(SecretStr(""), validation_alias="OTEL_EXPORTER_OTLP_HEADERS")
    allow_insecure: bool = Field(False, validation_alias="ALLOW_INSECURE")
    page_port: int = Field(8080, ge=0, le=65535, validation_alias="PAGE_PORT")
    livekit_port: int = Field(7880, ge=0, le=65535, validation_alias="LIVEKIT_PORT")
    models_port: int = Field(8090, ge=0, le=65535, validation_alias="MODELS_PORT")
    worker_port: int = Field(8081, ge=0, le=65535, validation_alias="WORKER_PORT")
    worker_host: str = Field("127.0.0.1", min_length=1, validation_alias="WORKER_HOST")
    worker_idle_processes: int = Field(1, ge=0, le=64, validation_alias="WORKER_IDLE_PROCESSES")
    worker_calls_per_process: int = Field(4, ge=1, le=64, validation_alias="WORKER_CALLS_PER_PROCESS")
    worker_max_load: float = Field(0.7, gt=0, validation_alias="WORKER_MAX_LOAD")
    worker_max_calls: int = Field(0, ge=0, le=1000, validation_alias="WORKER_MAX_CALLS")
    worker_call_cores: float = Field(0.15, gt=0, le=64, validation_alias="WORKER_CALL_CORES")
    worker_call_memory_mb: int = Field(1000, ge=0, le=1_000_000, validation_alias="WORKER_CALL_MEMORY_MB")
    drain_seconds: int = Field(300, ge=0, le=86_400, validation_alias="DRAIN_SECONDS")

    providers: Mapping[str, Provider] = Field(default_factory=dict, exclude=True)
    # By variable; for the plugins of livekit-agents, which look for their own.
    api_keys: Mapping[str, SecretStr] = Field(default_factory=dict, exclude=True)

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

    @field_validator("profiles")
    @classmethod
    def _profiles_in_private(cls, profiles: str) -> str:
        if profiles.startswith("http://") and urlsplit(profiles).hostname not in LOOPBACK_HOSTS:
            raise ValueError("must be a folder or an https:// address (http:// is for this machine alone)")
        if "://" in profiles and urlsplit(profiles).username is not None:
            raise ValueError("must not hold a user or a password: set PROFILES_TOKEN")
        return profiles

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_key(cls, secret: SecretStr) -> SecretStr:
        if secret.get_secret_value():
            parse_secret(secret.get_secret_value())
        return secret

    @model_validator(mode="after")
    def _webhook(self) -> Self:
        if self.webhook_url:
            try:
                check_url(self.webhook_url, allow_http=self.webhook_allow_http)
            except ValueError as error:
                raise ValueError(f"WEBHOOK_URL: {error}") from None
            if not self.webhook_secret.get_secret_value():
                raise ValueError("WEBHOOK_SECRET: must be set with WEBHOOK_URL, so that the receiver can trust it")
        return self

    @model_validator(mode="after")
    def _journal_address(self) -> Self:
        url = self.journal_url.get_secret_value()
        if url and (problem := problem_with_address(url, allow_insecure=self.allow_insecure)):
            raise ValueError(f"JOURNAL_URL: {problem}")
        return self

    @field_validator("otlp_endpoint")
    @classmethod
    def _otlp_scheme(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url

    @field_validator("otlp_headers")
    @classmethod
    def _otlp_pairs(cls, headers: SecretStr) -> SecretStr:
        if any("=" not in pair for pair in headers.get_secret_value().split(",") if pair.strip()):
            raise ValueError("must be name=value, several separated by commas")
        return headers

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        for name, url in (
            ("LIVEKIT_URL", self.livekit_url),
            ("CHAT_API_URL", self.chat_api_url),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.otlp_endpoint),
        ):
            if url and (problem := problem_with(url, allow_insecure=self.allow_insecure)):
                raise ValueError(f"{name}: {problem}")
        return self

    @model_validator(mode="after")
    def _no_social_for_unpod(self) -> Self:
        if self.chat_dialect == "unpod" and self.app_type == "social":
            raise ValueError("APP_TYPE: social makes the unpod service drop every message; unset it or choose another")
        return self

    def models(self, kind: ModelKind) -> tuple[ModelRef, ...]:
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
        """Where a provider is reached; raises SettingsError naming the variable that is missing or cannot be used."""
        if (provider := self.providers.get(name)) is not None:
            if problem := problem_with(provider.base_url, allow_insecure=self.allow_insecure):
                raise SettingsError(f"{name.upper()}_BASE_URL: {problem} (see .env.example)")
            return provider
        if name == "local":
            return Provider("local", f"http://127.0.0.1:{self.models_port}/v1", SecretStr("local"))
        variable = f"{name.upper()}_API_KEY" if name in WELL_KNOWN_BASE_URLS else f"{name.upper()}_BASE_URL"
        raise SettingsError(f"provider {name!r} is named in a model list, but {variable} is not set")

    def otlp_header_fields(self) -> dict[str, str]:
        """The headers for the collector of traces, percent-decoded (OpenTelemetry's `OTEL_EXPORTER_OTLP_HEADERS`)."""
        pairs = (pair.partition("=") for pair in self.otlp_headers.get_secret_value().split(",") if pair.strip())
        return {unquote(name).strip(): unquote(value).strip() for name, _, value in pairs}

    @property
    def recordings(self) -> Path:
        """The folder of the recordings of calls."""
        return self.recordings_dir if self.recordings_dir is not None else self.data_dir / "recordings"

    @property
    def uses_local_models(self) -> bool:
        """Whether any model comes from the embedded models server."""
        refs = [ref for kind in KINDS for ref in self.models(kind)]
        reader = [] if self.sentence_model is None else [self.sentence_model]
        return "local" not in self.providers and any(ref.provider == "local" for ref in [*refs, *reader])


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


def _find_api_keys(env: Mapping[str, str]) -> dict[str, SecretStr]:
    matches = ((PROVIDER_KEY.match(name), value) for name, value in env.items())
    return {match[0]: SecretStr(value) for match, value in matches if match and match["kind"] == "API_KEY" and value}


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
    settings = settings.model_copy(update={"providers": _find_providers(merged), "api_keys": _find_api_keys(merged)})
    for kind in KINDS:
        for ref in settings.models(kind):
            if ref.provider in settings.providers:
                settings.provider(ref.provider)
    return settings
