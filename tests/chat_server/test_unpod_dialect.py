"""The unpod dialect on a real server, row by row of the protocol."""

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent.dev.chat.credentials import agent_token, user_token
from tests.chat_server.conftest import SECRETS, ChatServer
from tests.chat_server.model_server import ModelServer
from tests.chat_server.plain_client import PlainClient


async def block(client: PlainClient) -> dict[str, Any]:
    data: dict[str, Any] = (await client.event("block"))["data"]
    return data


async def close_code(client: PlainClient) -> int | None:
    with pytest.raises(ConnectionClosed):
        await client.event("never")
    return client.link.close_code


async def test_a_block_comes_back_to_its_sender(server: ChatServer) -> None:
    """The sender receives its own block, with its free field as it was sent: the acknowledgement."""
    client = await server.unpod("c1")
    await client.block("0", conversation_type="my-nonce-1")
    frame = await client.event("block")
    data = frame["data"]
    assert (data["thread_id"], data["seq_number"], data["block"], data["block_type"]) == ("c1", 1, "text", "text_msg")
    assert data["data"] == {"content": "0", "conversation_type": "my-nonce-1"}
    assert data["block_id"]
    assert data["user"]["full_name"] == "ana"
    assert frame["timestamp"].endswith("Z")
    stored = (await server.get("/conversation/c1/messages/", token=user_token(SECRETS, "ana")))["results"]
    assert stored == [data]


async def test_a_question_is_answered(server: ChatServer, model: ModelServer) -> None:
    """A text is stored, a question is answered too; the answer says that the assistant wrote it."""
    client = await server.unpod("c1")
    await client.block("just a note")
    await client.block("Who are you?", "question")
    blocks = [await block(client) for _ in range(3)]
    assert [b["data"]["content"] for b in blocks] == ["just a note", "Who are you?", "You wrote: Who are you?"]
    assert json.loads(blocks[2]["data"]["conversation_type"])["role"] == "assistant"
    assert len(model.requests) == 1


async def test_the_free_field_carries_our_id_speaker_and_channel(server: ChatServer) -> None:
    """A worker's block whose free field says who said what and how is that message for guide clients, once."""
    page = await server.visitor("c1")
    unpod = await server.open("c1", {"Authorization": f"JWT {agent_token(SECRETS)}"})
    time = "2026-11-24T10:00:00.000Z"
    rest = {"interrupted": True, "reply_to": "turn-0", "created_at": time}
    ours = json.dumps({"id": "turn-1", "role": "assistant", "channel": "voice", **rest})
    await unpod.block("Good day", conversation_type=ours)
    await unpod.block("Good day", conversation_type=ours)
    message = await page.message()
    assert (message["id"], message["role"], message["channel"]) == ("turn-1", "assistant", "voice")
    assert {name: message[name] for name in rest} == rest
    assert [(await block(unpod))["data"]["conversation_type"] for _ in range(2)] == [ours, ours]
    assert len(await server.thread("c1")) == 1


async def test_the_free_field_carries_the_kind_of_a_note(server: ChatServer) -> None:
    """For guide clients it is a note too, and a note of theirs says so here."""
    page = await server.open("c1", token=agent_token(SECRETS))
    unpod = await server.open("c1", {"Authorization": f"JWT {agent_token(SECRETS)}"})
    await unpod.block("21", conversation_type=json.dumps({"id": "n1", "role": "assistant", "kind": "tool"}))
    assert (await page.message())["kind"] == "tool"
    await page.action("append", message="22", id="n2", role="assistant", kind="note")
    assert [json.loads((await block(unpod))["data"]["conversation_type"])["kind"] for _ in range(2)] == ["tool", "note"]


async def test_an_unpod_worker_answers_while_it_is_connected(server: ChatServer, model: ModelServer) -> None:
    """A worker in this dialect has no way to attach, so its open connection keeps the server's responder quiet."""
    page = await server.visitor("c1")
    worker = await server.open("c1", {"Authorization": f"JWT {agent_token(SECRETS)}"})
    await page.until(lambda frame: frame["event"] == "presence" and frame["payload"]["agent"])
    await page.action("next", message="Hello", id="q1")
    await block(worker)
    await worker.block("Hi", conversation_type='{"role":"assistant","reply_to":"q1"}')
    assert [m["text"] for m in await page.messages(2)] == ["Hello", "Hi"]
    await worker.close()
    await page.until(lambda frame: frame["event"] == "presence" and not frame["payload"]["agent"])
    assert model.requests == []


async def test_both_dialects_see_one_thread(server: ChatServer) -> None:
    """A message in either dialect reaches the clients of both, each in its own, with the same place."""
    page = await server.open("c1", token=user_token(SECRETS, "ana"))
    unpod = await server.unpod("c1")
    await page.action("append", message="from the page", id="t1")
    await unpod.block("from unpod")
    messages = await page.messages(2)
    blocks = [await block(unpod) for _ in range(2)]
    assert [m["text"] for m in messages] == [b["data"]["content"] for b in blocks]
    assert [m["seq"] for m in messages] == [b["seq_number"] for b in blocks]
    assert json.loads(blocks[0]["data"]["conversation_type"]) == {
        "id": "t1",
        "role": "user",
        "channel": "chat",
        "interrupted": False,
        "reply_to": None,
        "created_at": messages[0]["created_at"],
    }
    assert {frame["event"] for frame in unpod.seen} == {"block"}


async def test_a_first_block_shows_the_dialect(server: ChatServer) -> None:
    """A client without the header that begins with a block is answered in unpod."""
    client = await server.open("c1", token=user_token(SECRETS, "ana"))
    await client.block("hello")
    assert (await block(client))["data"]["content"] == "hello"


async def test_a_ping_first_does_not_bind_a_guide_client(server: ChatServer) -> None:
    """A client that pings before it speaks is answered in the dialect of its first real frame."""
    client = await server.open("c1", session_user="v")
    await client.sync()
    await client.action("append", message="I speak guide")
    assert (await client.message())["text"] == "I speak guide"
    other = await server.open("c1", session_user="v")
    await other.sync()
    await other.block("I speak unpod", conversation_type="n")
    assert (await block(other))["data"]["content"] == "I speak unpod"


async def test_ping_is_answered_by_pong(server: ChatServer) -> None:
    """A ping gets exactly a pong."""
    client = await server.unpod("c1")
    await client.sync()
    assert client.seen[-1] == {"event": "pong"}


@pytest.mark.parametrize(
    "frame",
    [
        "not JSON",
        '{"event":"message","data":{}}',
        '{"batch":[]}',
        '{"event":"block","data":{"block":"text","block_type":"text_msg","data":{}}}',
        '{"event":"block","data":{"block":"image","block_type":"text_msg","data":{"content":"x"}}}',
        '{"event":"block","data":7}',
    ],
)
async def test_a_bad_frame_closes_with_1003(server: ChatServer, frame: str) -> None:
    """A frame against the schema is answered with an error and the close 1003."""
    client = await server.unpod("c1")
    await client.send(frame)
    error = await client.event("error")
    assert error["message"]
    assert error["errors"]
    assert await close_code(client) == 1003


async def test_app_type_social_drops_every_block(server: ChatServer) -> None:
    """With `app_type=social` a block is not stored and the connection ends with 1006."""
    client = await server.unpod("c1", app_type="social")
    await client.sync()
    await client.block("lost")
    assert await close_code(client) == 1006
    history = await server.get("/conversation/c1/messages/", token=user_token(SECRETS, "ana"))
    assert history["results"] == []


async def test_bad_credentials_are_refused_with_403(server: ChatServer) -> None:
    """A bad token in the header refuses the handshake with 403."""
    with pytest.raises(InvalidStatus) as refused:
        await server.open("c1", {"Authorization": "JWT nonsense"})
    assert refused.value.response.status_code == 403


async def test_history_is_newest_first_in_pages(server: ChatServer) -> None:
    """The unpod history turns pages from the newest message, under the API prefix and at the WebSocket's too."""
    client = await server.unpod("c1")
    for n in range(5):
        await client.block(f"m{n}")
    for _ in range(5):
        await block(client)
    query = {"token": user_token(SECRETS, "ana"), "page_size": "2"}
    pages = [await server.get("/api/v1/conversation/c1/messages/", page=str(n), **query) for n in (1, 2, 3)]
    assert [[b["data"]["content"] for b in page["results"]] for page in pages] == [["m4", "m3"], ["m2", "m1"], ["m0"]]
    assert [(page["count"], page["next"], page["previous"]) for page in pages] == [
        (5, 2, None),
        (5, 3, 1),
        (5, None, 2),
    ]
    assert await server.get("/ws/v1/conversation/c1/messages/", page="2", **query) == pages[1]
