"""One client of the OpenAI API for each provider."""

import ssl

import openai

from agent.models.checked_http import check_response
from agent.settings import Settings

CONNECT_TIMEOUT_S = 5.0
# A last resort: whoever asks gives up earlier (see `patience`).
READ_TIMEOUT_S = 30.0


class ModelClients:
    """One client of the OpenAI API for each provider, shared by its models.

    Args:
        settings: where the providers are.
        tls: made once in each process: reading the system's certificates takes 100 ms, which a call would wait for.
    """

    def __init__(self, settings: Settings, tls: ssl.SSLContext) -> None:
        self._settings = settings
        self._tls = tls
        self._clients: dict[str, openai.AsyncClient] = {}

    def of(self, name: str) -> openai.AsyncClient:
        """The client of a provider; raises SettingsError when nobody said where it is."""
        if name not in self._clients:
            provider = self._settings.provider(name)
            self._clients[name] = openai.AsyncClient(
                base_url=provider.base_url,
                api_key=provider.api_key.get_secret_value(),
                max_retries=0,  # whoever asks tries again, and knows the next model
                timeout=openai.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
                http_client=openai.DefaultAsyncHttpxClient(
                    verify=self._tls, event_hooks={"response": [check_response]}
                ),
            )
        return self._clients[name]

    async def aclose(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()
