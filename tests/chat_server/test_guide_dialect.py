"""The guide dialect on a real server, row by row of the protocol."""

import asyncio
import contextlib
import json

import pytest
from websockets.exceptions import ConnectionClosed

from agent.dev.chat.credentials import agent_token, user_token
from tests.chat_server.conftest import SECRETS, ChatServer
from tests.chat_server.model_server import ModelServer

MIB = 1024 * 1024


async def test_a_message_comes_in_both_shapes(server: ChatServer) -> None:
    """A message has `event` and `payload` as well as `type` and `message`, with every field of the protocol."""
    client = await server.visitor("c1")
    await client.action("append", message="Hello", id="t1", channel="voice", reply_to="t0", interrupted=True)
    frame = await client.event("message")
    assert frame["type"] == "message"
    assert frame["payload"] == frame["message"]
    assert {k: v for k, v in frame["payload"].items() if k != "created_at"} == {
        "id": "t1",
        "seq": 1,
        "conversation_id": "c1",
        "role": "user",
        "text": "Hello",
        "channel": "voice",
        "interrupted": True,
        "reply_to": "t0",
    }
    assert frame["payload"]["created_at"].endswith("Z")


async def test_everybody_in_the_thread_sees_the_same(server: ChatServer) -> None:
    """Two clients that write at once see the same messages with the same `seq`, without holes."""
    one, two = await server.visitor("c1"), await server.visitor("c1")
    await asyncio.gather(
        *(client.action("append", message=f"m{n}") for n in range(10) for client in (one, two)),
    )
    seen_by_one, seen_by_two = await one.messages(20), await two.messages(20)
    assert seen_by_one == seen_by_two
    assert [message["seq"] for message in seen_by_one] == list(range(1, 21))
    assert await server.thread("c1") == seen_by_one


async def test_an_id_is_stored_once(server: ChatServer) -> None:
    """A second frame with an id stores nothing; its sender alone gets the stored message."""
    one, two = await server.visitor("c1"), await server.visitor("c1")
    await one.action("append", message="first", id="t1")
    stored = await one.message()
    await two.message()
    await one.action("append", message="something else", id="t1")
    assert await one.message() == stored
    assert [frame for frame in await two.sync() if frame["event"] == "message"] == []
    assert await server.thread("c1") == [stored]


async def test_a_note_is_shown_as_one_and_answers_nothing(server: ChatServer, model: ModelServer) -> None:
    """Its kind stands in the frame and in the history; the question before it still waits for its answer."""
    worker = await server.open("c1", token=agent_token(SECRETS))
    await worker.action("attach")
    page = await server.visitor("c1")
    await page.action("next", message="What is the weather?", id="q")
    await page.message()
    await worker.action("append", message="weather: 21", id="n", role="assistant", kind="tool", reply_to="q")
    assert (await page.message())["kind"] == "tool"
    thread = await server.thread("c1")
    assert ["kind" in message for message in thread] == [False, True]
    await worker.action("detach")
    assert (await page.message())["text"] == "You wrote: What is the weather?"
    await worker.action("append", message="x", kind="song")
    assert (await worker.event("error"))["payload"]["code"] == "bad_frame"


async def test_an_append_brings_its_own_time(server: ChatServer) -> None:
    """`created_at` of an append is kept, in UTC with milliseconds."""
    client = await server.visitor("c1")
    await client.action("append", message="spoken", created_at="2026-11-24T12:00:00.5+02:00")
    assert (await client.message())["created_at"] == "2026-11-24T10:00:00.500Z"


async def test_a_question_brings_its_own_time_too(server: ChatServer, model: ModelServer) -> None:
    """`created_at` of a question is kept, unless it is still to come."""
    client = await server.visitor("c1")
    await client.action("next", message="spoken", created_at="2026-01-01T10:00:00Z")
    assert (await client.message())["created_at"] == "2026-01-01T10:00:00.000Z"
    await client.message()
    await client.action("next", message="from a clock that is ahead", created_at="2999-01-01T00:00:00Z")
    assert (await client.message())["created_at"] < "2999"


async def test_a_voice_message_is_told_apart(server: ChatServer, model: ModelServer) -> None:
    """`execution_type: voice` marks a spoken turn."""
    client = await server.visitor("c1")
    await client.action("next", message="said aloud", execution_type="voice")
    assert (await client.message())["channel"] == "voice"


async def test_a_batch_is_its_frames_in_order(server: ChatServer) -> None:
    """The frames of a batch are taken one after the other; a bad one is answered by an error and skips nothing."""
    client = await server.visitor("c1")
    frames = [{"event": "action", "data": {"action": "append", "message": text}} for text in "abc"]
    await client.send({"batch": [frames[0], {"event": "what"}, *frames[1:]]})
    assert (await client.message())["text"] == "a"
    assert (await client.event("error"))["payload"]["code"] == "bad_frame"
    assert [message["text"] for message in await client.messages(2)] == ["b", "c"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("this is not JSON", "bad_json"),
        ("[1, 2]", "bad_frame"),
        ('{"event":"something"}', "bad_frame"),
        ('{"event":"action","data":{"action":"fly","id":"t9"}}', "unknown_action"),
        ('{"event":"action","data":{"action":"next","message":"","id":"t9"}}', "bad_frame"),
        ('{"event":"action","data":{"action":"append","message":"x","id":"t9","channel":"smoke"}}', "bad_frame"),
        ('{"event":"action","data":{"action":"append","message":"\\ud800","id":"t9"}}', "bad_frame"),
        ('{"event":"action","data":{"action":"append","message":"x","id":"t9","role":"assistant"}}', "not_allowed"),
        (json.dumps({"event": "action", "data": {"action": "next", "message": "x" * 100_001, "id": "t9"}}), "too_long"),
    ],
)
async def test_a_bad_frame_is_answered_and_the_connection_stays(server: ChatServer, frame: str, code: str) -> None:
    """Each bad frame gets an error with its code and, when it has one, its id; the next frame works."""
    client = await server.visitor("c1")
    await client.send(frame)
    payload = (await client.event("error"))["payload"]
    assert payload["code"] == code
    assert payload["message"]
    assert payload.get("id") == ("t9" if "t9" in frame else None)
    await client.action("append", message="still here")
    assert (await client.message())["text"] == "still here"


async def test_binary_frames_are_refused(server: ChatServer) -> None:
    """A binary frame gets an error, and the connection stays."""
    client = await server.visitor("c1")
    await client.link.send(b"\x00\x01")
    assert (await client.event("error"))["payload"]["code"] == "bad_frame"
    await client.sync()


@pytest.mark.parametrize("dialect", ["guide", "unpod"])
@pytest.mark.parametrize("pieces", [1, 20])
async def test_a_frame_of_20_mib_closes_with_1009(server: ChatServer, dialect: str, pieces: int) -> None:
    """A message over 16 MiB, in one frame or many, closes its own connection with 1009, and nobody else's."""
    other = await server.open("c1", token=user_token(SECRETS, "ana"))
    big = await (server.unpod("c1") if dialect == "unpod" else server.open("c1", token=user_token(SECRETS, "ana")))
    with contextlib.suppress(ConnectionClosed):  # the close may come while the frame is still being sent
        await big.link.send(["x" * (20 * MIB // pieces)] * pieces)
    assert await big.closed(timeout=20) == 1009
    await other.action("append", message="still here")
    assert (await other.message())["text"] == "still here"


async def test_a_frame_of_16_mib_is_read(server: ChatServer) -> None:
    """A frame of just the limit is read, and refused for what is in it."""
    client = await server.visitor("c1")
    await client.send("x" * 16 * MIB)
    assert (await client.event("error"))["payload"]["code"] == "bad_json"


async def test_keep_alive(server: ChatServer) -> None:
    """WebSocket pings, JSON pings and the bare heartbeat of react-use-websocket are answered."""
    client = await server.visitor("c1")
    await client.action("append", message="I speak guide")
    await client.message()
    await asyncio.wait_for(await client.link.ping(), 5)
    await client.sync()
    await client.send("ping")
    assert await client.link.recv() == "pong"


async def test_captions_are_shown_and_not_stored(server: ChatServer) -> None:
    """A partial reaches the others as typing with its text, ends with an empty one, and is not in the thread."""
    page, worker = await server.visitor("c1"), await server.worker("c1")
    await worker.action("partial", role="user", text="I would li")
    await worker.action("partial", role="user", text="")
    first, last = await page.event("typing"), await page.event("typing")
    assert first["payload"] == {"role": "user", "active": True, "text": "I would li", "channel": "voice"}
    assert last["payload"] == {"role": "user", "active": False, "text": "", "channel": "voice"}
    assert [frame for frame in await worker.sync() if frame["event"] == "typing"] == []
    assert await server.thread("c1") == []


async def test_presence_tells_whether_a_worker_answers(server: ChatServer) -> None:
    """Presence comes at connect, when a worker attaches, when it detaches, and when its connection is gone."""
    page = await server.visitor("c1")
    assert (await page.event("presence"))["payload"] == {"agent": False}
    worker = await server.worker("c1")
    assert (await page.event("presence"))["payload"] == {"agent": True}
    assert (await (await server.visitor("c1")).event("presence"))["payload"] == {"agent": True}
    await worker.action("detach")
    assert (await page.event("presence"))["payload"] == {"agent": False}
    await worker.action("attach")
    assert (await page.event("presence"))["payload"] == {"agent": True}
    await worker.close()
    assert (await page.event("presence"))["payload"] == {"agent": False}


async def test_an_attached_worker_with_the_users_token_speaks_for_the_assistant(server: ChatServer) -> None:
    """The owner's connection may append as the assistant once it is attached, and not before."""
    worker = await server.visitor("c1")
    await worker.action("attach")
    await worker.action("append", message="Good day", role="assistant")
    assert (await worker.message())["role"] == "assistant"


async def test_a_batch_of_captions_fills_nobodys_outbox(server: ChatServer) -> None:
    """Thousands of captions at once reach those who read, and close no connection."""
    writer, reader = await server.visitor("c1"), await server.visitor("c1")
    frame = {"event": "action", "data": {"action": "partial", "text": "I would li"}}
    for _ in range(3):
        await writer.send({"batch": [frame] * 1000})
    for _ in range(3000):
        await reader.event("typing")


async def test_a_client_that_does_not_read_delays_nobody(server: ChatServer) -> None:
    """A client that lets megabytes pile up is closed with 1013; the other one gets everything."""
    lazy, eager = await server.visitor("c1"), await server.visitor("c1")
    lazy.link.transport.pause_reading()
    for n in range(120):
        await eager.action("append", message=str(n) + "x" * 99_000)
        await eager.message()
    lazy.link.transport.resume_reading()
    with pytest.raises(ConnectionClosed):
        await lazy.event("never")
    assert lazy.link.close_code == 1013
