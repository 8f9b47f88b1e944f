"""The quirks of the real services on demand, each as a plain client sees it."""

import asyncio
from typing import Any

import pytest

from agent.dev.chat.credentials import user_token
from agent.dev.chat.faults import (
    CollidedPlaces,
    Deaf,
    DeafInNewThread,
    DropAfterStoring,
    DropBeforeStoring,
    DropOnConnect,
    EmptyContent,
    Freeze,
    GuideOnly,
    IdsIgnored,
)
from tests.chat_server.conftest import SECRETS, ChatServer
from tests.chat_server.model_server import ModelServer
from tests.chat_server.plain_client import Frame, PlainClient

GUIDE_HISTORY = "/ws/v1/conversation/c1/messages/"
UNPOD_HISTORY = "/conversation/c1/messages/"


async def block(client: PlainClient) -> dict[str, Any]:
    data: dict[str, Any] = (await client.event("block"))["data"]
    return data


async def blocks_in_history(server: ChatServer) -> list[dict[str, Any]]:
    """The unpod history of `c1`, oldest first."""
    results = (await server.get(UNPOD_HISTORY, token=user_token(SECRETS, "ana")))["results"]
    return list(reversed(results))


def messages_in(frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame["event"] in ("message", "block")]


async def test_drop_after_storing(server: ChatServer) -> None:
    """The sender sees 1006 and no echo; the others see the message, and history has it once."""
    server.go_wrong(DropAfterStoring(times=1))
    one, two = await server.visitor("c1"), await server.visitor("c1")
    await one.action("append", message="stored", id="t1")
    assert await one.closed() == 1006
    assert messages_in(one.seen) == []
    assert (await two.message())["id"] == "t1"
    again = await server.visitor("c1")
    await again.action("append", message="stored", id="t1")
    assert (await again.message())["id"] == "t1"
    assert [message["id"] for message in await server.thread("c1")] == ["t1"]
    assert server.faults.caused == {"drop_after_storing": 1}


async def test_drop_after_storing_in_unpod(server: ChatServer) -> None:
    """A block whose sender saw 1006 is found in history by its free field."""
    server.go_wrong(DropAfterStoring(dialect="unpod"))
    client = await server.unpod("c1")
    await client.block("stored", conversation_type="nonce-1")
    assert await client.closed() == 1006
    assert messages_in(client.seen) == []
    assert [b["data"]["conversation_type"] for b in await blocks_in_history(server)] == ["nonce-1"]


async def test_drop_before_storing(server: ChatServer) -> None:
    """The sender sees the same 1006, but the message is nowhere."""
    server.go_wrong(DropBeforeStoring(times=1))
    one, two = await server.visitor("c1"), await server.visitor("c1")
    frames = [{"event": "action", "data": {"action": "append", "message": text}} for text in ("lost", "lost too")]
    await one.send({"batch": frames})
    assert await one.closed() == 1006
    assert messages_in(await two.sync()) == []
    assert await server.thread("c1") == []
    assert server.faults.caused == {"drop_before_storing": 1}


async def test_freeze(server: ChatServer, model: ModelServer) -> None:
    """A frozen question is stored and answered; its sender hears nothing but WebSocket pongs, and may leave."""
    server.go_wrong(Freeze(dialect="unpod", seconds=600.0))
    frozen, other = await server.unpod("c1"), await server.unpod("c1")
    await frozen.block("a text is not frozen")
    await block(frozen)
    await frozen.block("Who are you?", "question", conversation_type="q1")
    await frozen.send({"event": "ping", "data": {}})
    await frozen.block("never taken in")
    assert [(await block(other))["data"]["content"] for _ in range(3)] == [
        "a text is not frozen",
        "Who are you?",
        "You wrote: Who are you?",
    ]
    await asyncio.wait_for(await frozen.link.ping(), 5)
    assert len(await blocks_in_history(server)) == 3
    assert server.faults.caused == {"freeze": 1}
    await asyncio.wait_for(frozen.close(), 5)
    assert await frozen.closed() == 1000
    assert [frame["event"] for frame in frozen.seen] == ["block"]


async def test_a_freeze_ends_with_1006(server: ChatServer) -> None:
    """After its seconds, and not before, a frozen connection ends without a close frame."""
    server.go_wrong(Freeze(seconds=0.3))
    client = await server.visitor("c1")
    begun = asyncio.get_running_loop().time()
    await client.action("next", message="Hello", id="q1")
    assert await client.closed() == 1006
    assert asyncio.get_running_loop().time() - begun >= 0.3
    assert messages_in(client.seen) == []
    assert (await server.thread("c1"))[0]["id"] == "q1"


async def test_deaf(server: ChatServer) -> None:
    """A deaf connection is shown nothing any more, though all pings are answered and what it sends is stored."""
    server.go_wrong(Deaf(skip=1, times=1))
    deaf, other = await server.visitor("c1"), await server.visitor("c1")
    await deaf.action("append", message="heard", id="t1")
    await deaf.message()
    await deaf.action("append", message="not heard", id="t2")
    await deaf.action("append", message="not heard", id="t2")
    await other.messages(2)
    await other.action("append", message="from the other", id="t3")
    await other.action("partial", text="a caption")
    await other.message()
    await asyncio.wait_for(await deaf.link.ping(), 5)
    assert await deaf.sync() == []
    again = await server.visitor("c1")
    await again.action("append", message="heard again", id="t4")
    assert (await again.message())["id"] == "t4"
    assert [message["id"] for message in await server.thread("c1")] == ["t1", "t2", "t3", "t4"]
    assert server.faults.caused == {"deaf": 1}


async def test_deaf_from_the_start(server: ChatServer) -> None:
    """The next two connections of the worker are deaf, the third is not, and users never are."""
    server.go_wrong(Deaf(when="connect", who="agent", times=2))
    page = await server.visitor("c1")
    workers = [await server.worker("c1", attach=False) for _ in range(3)]
    await page.action("append", message="Hello")
    await page.message()
    assert [len(messages_in(await worker.sync())) for worker in workers] == [0, 0, 1]
    assert server.faults.caused == {"deaf": 2}


async def test_two_clients_at_once_in_a_new_thread(server: ChatServer) -> None:
    """Of two clients that open a new thread together one is deaf; of two in an old thread, or apart, none is."""
    server.go_wrong(DeafInNewThread(window_seconds=60.0))
    pair = await asyncio.gather(server.visitor("c1"), server.visitor("c1"))
    await pair[0].action("append", message="Hello")
    await pair[1].action("append", message="Hello")
    await (await server.visitor("c1")).sync()
    assert await until_stored(server, 2)
    heard = [len(messages_in(await client.sync())) for client in pair]
    assert sorted(heard) == [0, 2]
    assert server.faults.caused == {"deaf_in_new_thread": 1}

    server.go_wrong(DeafInNewThread(window_seconds=1e-9))
    apart = [await server.visitor("c2"), await server.visitor("c2")]
    await apart[0].action("append", message="Hello")
    assert [(await client.message())["text"] for client in apart] == ["Hello", "Hello"]


async def until_stored(server: ChatServer, count: int) -> bool:
    async with asyncio.timeout(5):
        while len(await server.thread("c1")) < count:
            await asyncio.sleep(0.01)
    return True


async def test_contents_that_come_back_empty(server: ChatServer) -> None:
    """ "0", "null" and "false" come back empty, live and in history; with a trailing space they do not."""
    server.go_wrong(EmptyContent(dialect="unpod"))
    client = await server.unpod("c1")
    contents = ["0", "null", "false", "0 ", "00", "None"]
    for content in contents:
        await client.block(content)
    expected = ["", "", "", "0 ", "00", "None"]
    assert [(await block(client))["data"]["content"] for _ in contents] == expected
    assert [b["data"]["content"] for b in await blocks_in_history(server)] == expected
    assert server.faults.caused == {"empty_content": 3}


@pytest.mark.parametrize("name", ["guide", "unpod"])
async def test_ids_ignored(server: ChatServer, name: str) -> None:
    """A message that is sent twice is stored twice; unpod still brings the free field back."""
    server.go_wrong(IdsIgnored())
    if name == "guide":
        client = await server.visitor("c1")
        for _ in range(2):
            await client.action("append", message="twice", id="t1")
        ids = [message["id"] for message in await client.messages(2)]
    else:
        client = await server.unpod("c1")
        for _ in range(2):
            await client.block("twice", conversation_type='{"id":"t1"}')
        blocks = [await block(client) for _ in range(2)]
        assert [b["data"]["conversation_type"] for b in blocks] == ['{"id":"t1"}'] * 2
        assert blocks == await blocks_in_history(server)
        ids = [b["block_id"] for b in blocks]
    assert len({*ids, "t1"}) == 3
    assert server.faults.caused == {"ids_ignored": 2}


async def test_collided_places(server: ChatServer) -> None:
    """Two blocks share `seq_number` and `block_id`, live and in history; guide clients see them apart."""
    server.go_wrong(CollidedPlaces(every=3))
    page = await server.open("c1", token=user_token(SECRETS, "ana"))
    client = await server.unpod("c1")
    for n in range(4):
        await client.block(f"m{n}", conversation_type=f"nonce-{n}")
    blocks = [await block(client) for _ in range(4)]
    assert [b["seq_number"] for b in blocks] == [1, 2, 2, 4]
    assert blocks[1]["block_id"] == blocks[2]["block_id"]
    assert len({b["block_id"] for b in blocks}) == 3
    assert [b["data"]["conversation_type"] for b in blocks] == [f"nonce-{n}" for n in range(4)]
    assert await blocks_in_history(server) == blocks
    assert [message["seq"] for message in await page.messages(4)] == [1, 2, 3, 4]
    assert server.faults.caused == {"collided_places": 1}


async def test_social_drops_everything_and_is_counted(server: ChatServer) -> None:
    """Without any switch a block with `app_type=social` ends with 1006 and is not stored; the count is there."""
    client = await server.unpod("c1", app_type="social")
    await client.block("lost", "question")
    assert await client.closed() == 1006
    assert await blocks_in_history(server) == []
    assert server.faults.caused == {"social": 1}


@pytest.mark.parametrize("name", ["guide", "unpod"])
async def test_nothing_is_replayed_after_a_reconnect(server: ChatServer, name: str) -> None:
    """What came while a client was away is in history only; the next live message is the next one written."""
    token = user_token(SECRETS, "ana")
    page = await server.open("c1", token=token)
    await page.action("append", message="while it was away")
    await page.message()
    back = await (server.open("c1", token=token) if name == "guide" else server.unpod("c1"))
    await page.action("append", message="after it came back")
    frame = await back.until(lambda frame: frame["event"] in ("message", "block"))
    assert "after it came back" in str(frame)
    assert len(await blocks_in_history(server)) == 2


async def test_a_server_that_accepts_and_drops(server: ChatServer) -> None:
    """The next two connections are opened and end with 1006 at once; the third lives."""
    server.go_wrong(DropOnConnect(times=2))
    assert [await (await server.visitor("c1")).closed() for _ in range(2)] == [1006, 1006]
    await (await server.visitor("c1")).sync()
    assert server.faults.caused == {"drop_on_connect": 2}


@pytest.mark.parametrize(
    ("fault", "frame", "entry"),
    [
        (GuideOnly(), {"event": "message", "payload": {"text": "Hello"}}, {"text": "Hello"}),
        (GuideOnly(shape="type"), {"type": "message", "message": {"text": "Hello"}}, {"text": "Hello"}),
        (GuideOnly(bare=True), {"event": "message", "payload": "Hello"}, "Hello"),
        (GuideOnly(bare=True, shape="type"), {"type": "message", "message": "Hello"}, "Hello"),
    ],
)
async def test_a_server_that_knows_the_guide_alone(
    server: ChatServer, fault: GuideOnly, frame: Frame, entry: object
) -> None:
    """It sends nothing but texts, stores a resent id again, and its history, if any, has texts alone."""
    server.go_wrong(fault.model_copy(update={"history": "texts"}))
    client = await server.visitor("c1")
    for _ in range(2):
        await client.action("append", message="Hello", id="t1", role="user", channel="voice")
    shown = [await client.until(lambda frame: "message" in frame.values()) for _ in range(2)]
    assert shown == [frame, frame]
    assert (await server.get(GUIDE_HISTORY, session_user="visitor-1"))["results"] == [entry, entry]
    assert server.faults.caused == {"guide_only": 1}


async def test_a_server_that_knows_the_guide_alone_has_no_history(server: ChatServer, model: ModelServer) -> None:
    """No history is 404; attach, captions and appends do nothing; a question is answered, worker or not."""
    server.go_wrong(GuideOnly(append=False, conversation="c1"))
    page, worker = await server.visitor("c1"), await server.worker("c1")
    await worker.action("append", message="ignored", role="assistant")
    await worker.action("partial", text="ignored")
    await worker.send("no JSON")
    assert (await worker.event("error"))["payload"]["code"] == "bad_json"
    await page.action("next", message="Hello")
    texts = [(await page.message())["text"] for _ in range(2)]
    assert texts == ["Hello", "You wrote: Hello"]
    assert {frame["event"] for frame in page.seen} == {"message", "typing"}
    await server.get(GUIDE_HISTORY, 404, session_user="visitor-1")
    assert len((await server.get(UNPOD_HISTORY, session_user="visitor-1"))["results"]) == 2


async def test_faults_are_switched_at_run_time(server: ChatServer) -> None:
    """A plan strikes the connections that are open already, and stops striking when another takes its place."""
    client = await server.visitor("c1")
    server.go_wrong(DropAfterStoring(conversation="c2"), EmptyContent(times=1))
    for _ in range(2):
        await client.action("append", message="0")
    assert [message["text"] for message in await client.messages(2)] == ["", "0"]
    server.go_wrong()
    await client.action("append", message="0")
    assert (await client.message())["text"] == "0"
    assert server.faults.caused == {"empty_content": 1}
