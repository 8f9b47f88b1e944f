"""LiveKit's API for a worker, with a time limit of ours."""

import aiohttp
from livekit import api

from agent.settings import Settings

TIMEOUT_S = 3.0


def livekit_api(settings: Settings) -> api.LiveKitAPI:
    """The API of the settings' server; to be entered, as it holds connections."""
    return api.LiveKitAPI(
        settings.livekit_url.replace("ws", "http", 1),
        settings.livekit_api_key,
        settings.livekit_api_secret.get_secret_value(),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    )
