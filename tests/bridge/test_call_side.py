"""The call's side of the bridge: it never waits for the chat, and a crowded thread does not disturb it."""

import asyncio
import json
import math
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from agent.chat.captions import INTERVAL_S
from agent.chat.dialect import GuideDialect
from agent.chat.endpoint import ChatEndpoint
from agent.dev.chat.credentials import agent_token
from agent.dev.ports import LOOPBACK, PortWish, claim_ports
from agent.dev.secrets import load_dev_secrets
from agent.journal import SqliteJournal
from agent.turns import Speaker
from agent.websocket import Options
from tests.bridge.conftest import QUICK, Chat, DialectName, make_turns
from tests.chat_server.server_process import server_process
from tests.support.flood import Flood, flooding
from tests.support.spoken_call import SpokenCall
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.timeout(120)

BOTH = pytest.mark.parametrize("dialect", ["guide", "unpod"])


@BOTH
@pytest.mark.parametrize("weather", ["fine", "half-open", "slow", "gone"])
async def test_handing_over_turns_and_captions_waits_for_nothing(
    chat: Chat, dialect: DialectName, weather: str
) -> None:
    """Whatever the network does, both calls are plain and take no longer than when all is well."""
    async with TcpProxy(chat.server.port) as proxy:
        call = await chat.call(dialect, port=proxy.port)
        await call.until(lambda: call.read is not None)
        match weather:
            case "half-open":
                proxy.stall()
            case "slow":
                proxy.slow(2000)
            case "gone":
                proxy.refuse()
                proxy.drop()
        took = []
        for turn in make_turns(200):
            began = time.perf_counter()
            call.bridge.caption(Speaker.USER, turn.text)
            call.bridge.deliver(turn)
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0)
        assert statistics.median(took) < 0.005
        began = time.perf_counter()
        await call.end(timeout=0.1)
        assert time.perf_counter() - began < 10
        proxy.resume()


class CaptionServer:
    """A server of the guide dialect that notes when which frame came."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, dict[str, object]]] = []

    def answer_http(self, link: ServerConnection, request: Request) -> Response | None:
        """There is no history."""
        return link.respond(404, "") if "/messages/" in request.path else None

    async def handle(self, link: ServerConnection) -> None:
        """Note, and echo turns."""
        async for raw in link:
            frame = json.loads(raw)
            self.frames.append((time.monotonic(), frame))
            data = frame.get("data", {})
            if data.get("action") == "append":
                message = {"id": data["id"], "text": data["message"], "role": data["role"]}
                await link.send(json.dumps({"event": "message", "payload": message}))


async def test_captions_are_batched_and_turns_never(tmp_path: Path) -> None:
    """At most one frame of captions every 100 ms, with the latest words; a turn leaves alone and at once."""
    chat = CaptionServer()
    with SqliteJournal(tmp_path / "journal.db") as journal:
        async with serve(chat.handle, LOOPBACK, 0, process_request=chat.answer_http) as listening:
            port = listening.sockets[0].getsockname()[1]
            endpoint = ChatEndpoint(f"ws://{LOOPBACK}:{port}/", "c1", "", SecretStr("t"), "v")
            call = SpokenCall(journal, "call", endpoint, GuideDialect(), options=QUICK)
            await call.start()
            await call.until(lambda: call.read is not None)
            began, turns = time.monotonic(), make_turns(10)
            for number in range(300):
                call.bridge.caption(Speaker.USER, f"user {number}")
                call.bridge.caption(Speaker.ASSISTANT, f"assistant {number}")
                if number % 30 == 29:
                    call.say(turns[number // 30])
                await asyncio.sleep(0.005)
            await call.settled()
            lasted = time.monotonic() - began
            await call.end()
    actions = [[part["data"]["action"] for part in parts(frame)] for _, frame in chat.frames]
    captions = [frame for frame in actions if "partial" in frame]
    assert all(set(frame) == {"partial"} for frame in captions)
    assert 2 <= len(captions) <= math.ceil(lasted / INTERVAL_S) + 1
    assert any(len(frame) == 2 for frame in captions)
    assert actions.count(["append"]) == len(turns)


def parts(frame: dict[str, object]) -> list[dict[str, dict[str, object]]]:
    """The frames that a frame is, one or a batch."""
    batch = frame.get("batch", [frame])
    assert isinstance(batch, list)
    return batch


async def test_a_caption_that_is_late_never_follows_its_turn(chat: Chat) -> None:
    """The words so far are worth nothing once the whole is there."""
    page = await chat.page()
    call = await chat.call("guide")
    await call.until(lambda: call.read is not None)
    for number, turn in enumerate(make_turns(20)):
        call.bridge.caption(turn.speaker, f"caption {number}")
        await asyncio.sleep(0.001 * (number % 10))
        call.say(turn)
        await call.settled()
    await asyncio.sleep(3 * INTERVAL_S)
    shown = [frame["payload"] for frame in await page.sync() if frame["event"] in ("message", "typing")]
    texts = [payload["text"] for payload in shown if payload.get("text")]
    for number in range(20):
        if (caption := f"caption {number}") in texts:
            assert texts.index(caption) < texts.index(f"turn {number}")


@BOTH
async def test_what_was_typed_in_the_second_before_the_bridge_connects_is_told(
    chat: Chat, dialect: DialectName
) -> None:
    """It stands in what the call reads first, or is told after it: once, wherever it falls."""
    page = await chat.page()
    typed = []
    for number in range(10):
        typed.append(f"typed {number}")
        await page.action("append", message=typed[-1])
        if number == 3:
            call = await chat.call(dialect)
        await asyncio.sleep(0.05)
    await call.until(lambda: len(call.told) + len(call.read or ()) == len(typed))
    assert [message.text for message in [*(call.read or ()), *call.told]] == typed
    assert [message.text for message in (call.read or ())[:3]] == typed[:3]


@asynccontextmanager
async def loop_delays() -> AsyncIterator[list[float]]:
    """By how many seconds the event loop is late, each 5 ms."""
    delays: list[float] = []

    async def measure() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            delays.append(time.perf_counter() - began - 0.005)

    measuring = asyncio.create_task(measure())
    try:
        yield delays
    finally:
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)


async def test_a_thread_with_200_messages_a_second_does_not_disturb_the_call(tmp_path: Path) -> None:
    """The event loop that carries the audio is hardly later than when nobody writes, and nothing is missed."""
    (port,) = claim_ports([PortWish(0, "the chat", "PAGE_PORT")])
    data, count = tmp_path / "chat", 800
    token = agent_token(load_dev_secrets(data))
    async with server_process(data, port) as server:
        endpoint = ChatEndpoint(f"ws://{LOOPBACK}:{port}/ws/v1/", "c1", "", SecretStr(token), "agent")
        with SqliteJournal(tmp_path / "journal.db") as journal:
            call = SpokenCall(journal, "call", endpoint, GuideDialect(), options=Options())
            await call.start()
            await call.until(lambda: call.read is not None)
            async with loop_delays() as idle:
                await asyncio.sleep(2.0)
            async with flooding(Flood(server.chat("c1"), 200.0, count)) as flood, loop_delays() as flooded:
                call.say(*make_turns(5))
                await flood.wait()
            await call.until(lambda: len(call.told) == count)
            await call.settled()
            await call.end()
    assert [message.text for message in call.told] == [f"flood {n}" for n in range(count)]
    assert len(call.delivered) == 5
    assert statistics.fmean(flooded) < statistics.fmean(idle) + 0.02
    assert statistics.quantiles(flooded, n=20)[-1] < statistics.quantiles(idle, n=20)[-1] + 0.05
