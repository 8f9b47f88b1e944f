"""Two providers, and the models of a call that names both."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from agent.job import Job, JobAgent
from agent.models import ConfiguredModels, LocalEars, build_models
from agent.settings import load_settings
from tests.providers.call import Stages
from tests.providers.server import Provider, provider_server

Build = Callable[..., Awaitable[Stages]]


@pytest.fixture
async def first() -> AsyncIterator[Provider]:
    """The preferred provider."""
    async with provider_server("first", tone=400) as provider:
        yield provider


@pytest.fixture
async def second() -> AsyncIterator[Provider]:
    """The one that takes over."""
    async with provider_server("second", tone=900) as provider:
        yield provider


@pytest.fixture(scope="session")
def ears() -> LocalEars:
    """What a process loads once."""
    return LocalEars.load()


@pytest.fixture(scope="session")
def tls() -> ssl.SSLContext:
    """What a process loads once."""
    return ssl.create_default_context()


@pytest.fixture
async def build(ears: LocalEars, tls: ssl.SSLContext) -> AsyncIterator[Build]:
    """Builds the models of a call as the worker does, from these providers in this order, and closes them."""
    async with AsyncExitStack() as exits:

        async def build_stages(*providers: Provider | str, language: str = "en", **env: str) -> Stages:
            names = [provider if isinstance(provider, str) else provider.name for provider in providers]
            addresses = {f"{p.name.upper()}_BASE_URL": p.base_url for p in providers if isinstance(p, Provider)}
            lists = {f"{kind}_MODELS": ",".join(f"{name}/m" for name in names) for kind in ("STT", "LLM", "TTS")}
            settings = load_settings({**lists, **addresses, **env}, None)
            job = Job(conversation_id="c", agent=JobAgent(language=language))
            models = build_models(settings, job, ears, ConfiguredModels(settings, tls))
            exits.push_async_callback(models.aclose)
            return Stages(models)

        yield build_stages
