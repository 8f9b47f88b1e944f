"""Who a provider is: an endpoint that speaks the OpenAI API, or an installed plugin of livekit-agents."""

import importlib
import importlib.util
from types import ModuleType

from agent.settings import KINDS, WELL_KNOWN_BASE_URLS, Settings, SettingsError
from agent.websocket.address import redacted


def has_plugin(provider: str) -> bool:
    """Whether the package livekit-plugins-PROVIDER is installed."""
    return importlib.util.find_spec(f"livekit.plugins.{provider}") is not None


def load_plugin(provider: str) -> ModuleType:
    """The package livekit-plugins-PROVIDER, imported on the main thread, as livekit-agents demands."""
    return importlib.import_module(f"livekit.plugins.{provider}")


def is_plugin(settings: Settings, provider: str) -> bool:
    """Whether a provider is an installed plugin; False when it is an endpoint.

    Raises:
        SettingsError: it is neither.
    """
    try:
        settings.provider(provider)
    except SettingsError as error:
        if provider in WELL_KNOWN_BASE_URLS:
            raise
        if not has_plugin(provider):
            raise SettingsError(f"{error}, and there is no plugin: install livekit-plugins-{provider}") from None
        return True
    return False


def check_providers(settings: Settings) -> None:
    """Raise a SettingsError that names the missing variable unless each model's provider can be had."""
    for kind in KINDS:
        for ref in settings.models(kind):
            is_plugin(settings, ref.provider)


def load_plugins(settings: Settings) -> None:
    """Import the plugins that the settings name, which may take a second each; raises SettingsError as `is_plugin`."""
    for provider in {ref.provider for kind in KINDS for ref in settings.models(kind)}:
        if is_plugin(settings, provider):
            load_plugin(provider)


def reached_at(settings: Settings, provider: str) -> str:
    """Where a provider is, for people; raises SettingsError as `is_plugin`."""
    if is_plugin(settings, provider):
        return f"livekit-plugins-{provider}"
    return redacted(settings.provider(provider).base_url)
