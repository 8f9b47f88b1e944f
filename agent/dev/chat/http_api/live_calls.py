"""Whether a call still runs, as the LiveKit server sees it."""

import asyncio
import logging

import aiohttp
from livekit import api

from agent.dev.chat.room_tokens import LiveKit

logger = logging.getLogger("agent.dev.chat.live_calls")

TIMEOUT_S = 2.0


async def has_agent(livekit: LiveKit, room: str) -> bool:
    """Whether an agent is in the room; no when the server does not say so in time."""
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            api.LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret) as livekit_api,
        ):
            found = await livekit_api.room.list_participants(api.ListParticipantsRequest(room=room))
    except (api.TwirpError, aiohttp.ClientError, TimeoutError, OSError) as error:
        logger.warning("the room of a call cannot be looked up (%s): a new one is made", type(error).__name__)
        return False
    active = api.ParticipantInfo.State.ACTIVE
    return any(p.kind == api.ParticipantInfo.Kind.AGENT and p.state == active for p in found.participants)
