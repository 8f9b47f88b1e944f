"""Room tokens: what their claims allow, whom they bring, and which room they are for."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from aiohttp import web
from livekit import api

from agent.dev.chat.credentials import Kind, Principal, user_token
from agent.dev.chat.room_tokens import job_metadata, new_room_token
from agent.settings import load_settings
from tests.chat_server.conftest import SECRETS, ChatServer

PATH = "/api/generate-room-token"
VISITOR = {"session_user": "visitor-1"}


def claims_of(made: dict[str, Any]) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(made["token"], SECRETS.livekit_api_secret, algorithms=["HS256"])
    return claims


def metadata_of(made: dict[str, Any]) -> dict[str, Any]:
    agents = claims_of(made)["roomConfig"]["agents"]
    assert [agent["agentName"] for agent in agents] == ["voice-agent"]
    metadata: dict[str, Any] = json.loads(agents[0]["metadata"])
    return metadata


async def test_a_token_allows_one_call_and_nothing_else(server: ChatServer) -> None:
    """The token is for ten minutes, one room, the microphone, listening and writing; the dispatch names the user."""
    made = await server.post(PATH, {"conversation": "c1"}, **VISITOR)
    assert (made["conversation_id"], made["url"], made["resumed"]) == ("c1", "ws://127.0.0.1:7880", False)
    claims = claims_of(made)
    assert claims["exp"] - claims["nbf"] in (600, 601)  # two readings of the clock
    assert claims["video"] == {
        "roomJoin": True,
        "room": made["room"],
        "canPublish": True,
        "canPublishSources": ["microphone"],
        "canSubscribe": True,
        "canPublishData": True,
        "canUpdateOwnMetadata": False,
    }
    assert "c1" not in made["room"]
    assert "visitor-1" not in claims["sub"] + claims["name"]
    assert metadata_of(made) == {"conversation_id": "c1", "user": {"id": "visitor-1", "name": "Visitor"}}


async def test_each_call_has_its_own_room_and_a_person_one_identity(server: ChatServer) -> None:
    """Rooms differ from call to call; the identity stays, so that a reload replaces its own old participant."""
    one, two = [await server.get(PATH, conversation="c1", **VISITOR) for _ in range(2)]
    assert one["room"] != two["room"]
    assert claims_of(one)["sub"] == claims_of(two)["sub"]


async def test_a_signed_in_user_is_named(server: ChatServer) -> None:
    """The name of a signed-in user is seen in the room and in the job."""
    made = await server.post(PATH, {"conversation": "c1"}, token=user_token(SECRETS, "ana"))
    assert claims_of(made)["name"] == "ana"
    assert metadata_of(made)["user"] == {"id": "ana", "name": "ana"}


async def test_without_a_conversation_a_new_one_is_made(server: ChatServer) -> None:
    """A token without a conversation is for a new one, which its requester owns."""
    made = await server.get(PATH, **VISITOR)
    await server.visitor(made["conversation_id"])
    await server.post(PATH, {"conversation": made["conversation_id"]}, 403, session_user="eve")


async def test_the_job_is_merged(server: ChatServer) -> None:
    """Members of `job` are in the job's metadata, but cannot change the conversation or the user."""
    job = {"agent": {"greeting": "Hi"}, "anything": [1], "conversation_id": "other", "user": {"id": "root"}}
    made = await server.post(PATH, {"conversation": "c1", "job": job}, **VISITOR)
    assert metadata_of(made) == {
        "agent": {"greeting": "Hi"},
        "anything": [1],
        "conversation_id": "c1",
        "user": {"id": "visitor-1", "name": "Visitor"},
    }
    unpod = json.loads(job_metadata("c1", Principal(Kind.USER, "ana"), {"thread_id": 7, "space_token": "s"}))
    assert unpod == {"thread_id": "c1", "space_token": "s", "user": {"id": "ana", "full_name": "ana"}}


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {"job": []},
        {"job": "x"},
        {"conversation": 7},
        {"room": {}},
        {"room": "\ud800"},
        {"job": {"x": "y" * 70_000}},
        {"job": {"x": "\ud800"}},
    ],
)
async def test_bad_requests_are_400(server: ChatServer, body: object) -> None:
    """A body of the wrong shape is 400 with an error as JSON."""
    assert (await server.post(PATH, body, 400, **VISITOR))["error"]["code"] == "bad_request"


async def test_bad_credentials_and_ids(server: ChatServer) -> None:
    """Bad credentials are 401 as JSON, an id that is none is 404."""
    assert (await server.get(PATH, 401))["error"]["code"] == "unauthorized"
    await server.get(PATH, 401, token="nonsense")
    await server.get(PATH, 404, conversation="a b", **VISITOR)


async def test_the_guides_voice_endpoint(server: ChatServer) -> None:
    """The slug names the conversation, the answer is inside of `data`, and credentials count as for the chat."""
    path = "/core/voice/my-post/generate_room_token/"
    asked = await server.get(path, source="superkik", **VISITOR)
    posted = await server.post(path, {"source": "superkik", "job": {"agent": {"greeting": "Hi"}}}, **VISITOR)
    for made in (asked, posted):
        assert made["data"]["conversation_id"] == "my-post"
        assert metadata_of(made["data"])["conversation_id"] == "my-post"
    assert metadata_of(posted["data"])["agent"] == {"greeting": "Hi"}
    await server.get(path, 401)
    await server.get(path, 403, session_user="eve")
    await server.get("/core/voice/a%20b/generate_room_token/", 404, **VISITOR)


async def test_keys_that_are_missing_are_named(serve: Callable[..., Any]) -> None:
    """A LiveKit server without its keys is an error that names the variables."""
    server: ChatServer = (await serve({"LIVEKIT_URL": "wss://livekit.example"}))[0]
    body = await server.get(PATH, 503, **VISITOR)
    assert "LIVEKIT_API_KEY" in body["error"]["message"]


async def test_with_an_external_chat_nobody_owns_conversations_here(serve: Callable[..., Any]) -> None:
    """Where the chat is elsewhere, tokens are given for any conversation to any visitor or signed-in user."""
    server: ChatServer = (await serve({"CHAT_API_URL": "wss://chat.example/"}, embedded_chat=False))[0]
    for query in ({"session_user": "a"}, {"session_user": "b"}, {"token": user_token(SECRETS, "ana")}):
        assert (await server.get(PATH, conversation="c1", **query))["conversation_id"] == "c1"
    await server.get(PATH, 401, token="nonsense", conversation="c1")


@dataclass
class RoomService:
    """The one call of LiveKit's API that is asked here, over its real wire format."""

    rooms: dict[str, list[api.ParticipantInfo]] = field(default_factory=dict)
    port: int = 0

    async def list_participants(self, request: web.Request) -> web.Response:
        asked = api.ListParticipantsRequest.FromString(await request.read())
        found = api.ListParticipantsResponse(participants=self.rooms.get(asked.room, []))
        return web.Response(body=found.SerializeToString(), content_type="application/protobuf")


@pytest.fixture
async def rooms() -> AsyncIterator[RoomService]:
    service = RoomService()
    app = web.Application()
    app.router.add_post("/twirp/livekit.RoomService/ListParticipants", service.list_participants)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.port = runner.addresses[0][1]
    yield service
    await runner.cleanup()


def livekit_env(port: int) -> dict[str, str]:
    return {
        "LIVEKIT_URL": f"ws://127.0.0.1:{port}",
        "LIVEKIT_API_KEY": SECRETS.livekit_api_key,
        "LIVEKIT_API_SECRET": SECRETS.livekit_api_secret,
    }


async def test_a_running_call_is_resumed(serve: Callable[..., Any], rooms: RoomService) -> None:
    """A reload gets the same room while its agent is there; not after, and not for another conversation."""
    server: ChatServer = (await serve(livekit_env(rooms.port)))[0]
    first = await server.post(PATH, {"conversation": "c1"}, **VISITOR)
    again = {"conversation": "c1", "room": first["room"]}
    agent = api.ParticipantInfo(
        identity="agent-1", kind=api.ParticipantInfo.Kind.AGENT, state=api.ParticipantInfo.State.ACTIVE
    )
    person = api.ParticipantInfo(identity="user-1", state=api.ParticipantInfo.State.ACTIVE)

    rooms.rooms[first["room"]] = [person]
    assert (await server.post(PATH, again, **VISITOR))["resumed"] is False
    rooms.rooms[first["room"]] = [person, agent]
    resumed = await server.post(PATH, again, **VISITOR)
    assert (resumed["resumed"], resumed["room"]) == (True, first["room"])
    other = await server.post(PATH, {"conversation": "c2", "room": first["room"]}, **VISITOR)
    assert other["resumed"] is False
    assert other["room"] != first["room"]


async def test_a_livekit_that_is_down_means_a_new_room(serve: Callable[..., Any], unused_tcp_port: int) -> None:
    """When the room cannot be looked up the call begins anew, rather than failing."""
    server: ChatServer = (await serve(livekit_env(unused_tcp_port)))[0]
    first = await server.post(PATH, {"conversation": "c1"}, **VISITOR)
    second = await server.post(PATH, {"conversation": "c1", "room": first["room"]}, **VISITOR)
    assert second["resumed"] is False
    assert second["room"] != first["room"]


def test_a_token_for_the_command_line() -> None:
    """The same token is made without a server, and what cannot be used is named."""
    settings = load_settings(livekit_env(7880), env_file=None)
    made = new_room_token(settings, "c1", "cli", {"agent": {"name": "Eve"}})
    claims = jwt.decode(made.token, SECRETS.livekit_api_secret, algorithms=["HS256"])
    assert claims["video"]["room"] == made.room
    assert made.url == "ws://127.0.0.1:7880"
    assert made.token not in repr(made)
    for conversation, user, job in (("a b", "cli", {}), ("c1", "", {}), ("c1", "cli", [])):
        with pytest.raises(ValueError, match=r"conversation|user|job"):
            new_room_token(settings, conversation, user, job)
