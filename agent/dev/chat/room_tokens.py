"""Room tokens: what lets a person join the room of one call, and brings the agent there. No I/O.

A token is for one room, lasts ten minutes, lets its bearer speak, listen and write, and nothing else. The conversation
goes into the metadata of the job: every participant can read a room's name and metadata.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from livekit import api

from agent.dev.chat.credentials import MAX_USER, Kind, Principal, is_name
from agent.dev.chat.thread.messages import is_conversation_id
from agent.dev.secrets import DevSecrets
from agent.job import MAX_METADATA_BYTES
from agent.settings import Settings

LIFETIME = timedelta(minutes=10)
ROOM_PREFIX = "call-"


@dataclass(frozen=True, slots=True)
class LiveKit:
    """A LiveKit server and the keys to it; `api_secret` is not shown."""

    url: str
    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return f"LiveKit(url={self.url!r})"


@dataclass(frozen=True, slots=True)
class RoomToken:
    """What a person needs to join a call."""

    token: str
    url: str
    room: str
    conversation_id: str

    def __repr__(self) -> str:
        return f"RoomToken(room={self.room!r})"


class LiveKitNotSet(ValueError):
    """The keys to the LiveKit server are missing; the message names the variables."""


def livekit_url(settings: Settings) -> str:
    """Where the LiveKit server is: as the settings say, else that of `agent dev`."""
    return settings.livekit_url or f"ws://127.0.0.1:{settings.livekit_port}"


def livekit_of(settings: Settings, dev_secrets: DevSecrets | None = None) -> LiveKit:
    """The LiveKit server that the settings name, else the one of `agent dev` with the keys of this installation.

    Raises:
        LiveKitNotSet: a server is named without its keys, or none is named and there are no keys of an installation.
    """
    if not settings.livekit_url and dev_secrets is not None:
        return LiveKit(livekit_url(settings), dev_secrets.livekit_api_key, dev_secrets.livekit_api_secret)
    secret = settings.livekit_api_secret.get_secret_value()
    if not (settings.livekit_url and settings.livekit_api_key and secret):
        raise LiveKitNotSet("LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be set")
    return LiveKit(settings.livekit_url, settings.livekit_api_key, secret)


def new_room_name() -> str:
    """A name that cannot be guessed, for the room of one call."""
    return ROOM_PREFIX + secrets.token_hex(8)


def job_metadata(conversation_id: str, principal: Principal, job: Mapping[str, Any]) -> str:
    """The metadata of the job: whose call it is and of which conversation, and what the requester adds.

    What is added cannot change the conversation or the user. With a `thread_id` in it the keys are Unpod's.

    Raises:
        ValueError: it is too large.
    """
    if "thread_id" in job:
        user = {"id": principal.id, "full_name": principal.display_name}
        metadata = {**job, "thread_id": conversation_id, "user": user}
    else:
        metadata = {
            **job,
            "conversation_id": conversation_id,
            "user": {"id": principal.id, "name": principal.display_name},
        }
    text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode("utf-8", "surrogatepass")) > MAX_METADATA_BYTES:
        raise ValueError(f"job is larger than {MAX_METADATA_BYTES} bytes")
    return text


def room_token(
    livekit: LiveKit, *, agent_name: str, room: str, conversation_id: str, principal: Principal, job: Mapping[str, Any]
) -> RoomToken:
    """A token to join a room in which the agent answers.

    The dispatch takes effect when the room is made; in a room that lives already its agent stays the only one.

    Raises:
        ValueError: the job is too large, or cannot be written as UTF-8.
    """
    metadata = job_metadata(conversation_id, principal, job)
    token = (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_identity(principal.identity)
        .with_name(principal.display_name)
        .with_ttl(LIFETIME)
        .with_grants(
            api.VideoGrants(
                room_join=True,
                room=room,
                can_publish=True,
                can_publish_sources=["microphone"],
                can_subscribe=True,
                can_publish_data=True,
                can_update_own_metadata=False,
            )
        )
        .with_room_config(
            api.RoomConfiguration(agents=[api.RoomAgentDispatch(agent_name=agent_name, metadata=metadata)])
        )
    )
    return RoomToken(token.to_jwt(), livekit.url, room, conversation_id)


def new_room_token(settings: Settings, conversation_id: str, user: str, job: object) -> RoomToken:
    """A token for a new room, for the command line.

    Raises:
        ValueError: the conversation or user is no such name, the job is no JSON object, or LiveKit's keys are missing.
    """
    if not is_conversation_id(conversation_id):
        raise ValueError("a conversation's id is 1 to 128 letters, digits, _ and -")
    if not is_name(user, MAX_USER):
        raise ValueError(f"a user's name is 1 to {MAX_USER} printable characters")
    return room_token(
        livekit_of(settings),
        agent_name=settings.agent_name,
        room=new_room_name(),
        conversation_id=conversation_id,
        principal=Principal(Kind.USER, user),
        job=parse_job_members(job),
    )


def parse_job_members(job: object) -> dict[str, Any]:
    """The `job` of a request; raises ValueError when it is no JSON object."""
    if not isinstance(job, dict):
        raise ValueError("job must be a JSON object")
    return job
