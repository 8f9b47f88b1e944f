"""The bridge over real sockets: the call goes on whatever the chat does, and a turn stands in the thread once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from agent.chat.bridge import Bridge, Role
from agent.chat.courier import Delivered
from agent.chat.dialect import GuideDialect
from agent.chat.endpoint import ChatEndpoint
from agent.chat.frames import MAX_FRAME_BYTES, ThreadMessage, TypingNotice
from agent.turns import Turn
from agent.websocket import Options
from tests.support.guide_server import GuideServer, guide_server
from tests.support.tcp_proxy import TcpProxy, Way
from tests.support.turns import make_turn

pytestmark = pytest.mark.timeout(60)

SECRET = "hunter2"
QUICK = Options(max_size=MAX_FRAME_BYTES, reconnect_interval=0.01, reconnect_attempts=3)


class Listener:
    """What a call is told."""

    def __init__(self) -> None:
        self.read: list[list[str]] = []
        self.messages: list[str] = []
        self.delivered: list[str] = []
        self.lost = False
        self.changed = asyncio.Condition()

    def thread_read(self, messages: list[ThreadMessage]) -> None:
        self.read.append([message.text for message in messages])

    def thread_message(self, message: ThreadMessage) -> None:
        self.messages.append(message.text)

    def thread_typing(self, notice: TypingNotice) -> None:
        pass

    def thread_lost(self) -> None:
        self.lost = True

    def turn_delivered(self, delivered: Delivered) -> None:
        self.delivered.append(delivered.turn_id)

    def turn_given_up(self, turn_id: str) -> None:
        pass


class Running:
    """A bridge and the task that runs it."""

    def __init__(self, bridge: Bridge, listener: Listener) -> None:
        self.bridge = bridge
        self.listener = listener
        self.task = asyncio.create_task(bridge.run())

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so."""
        while not true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(url: str, pending: Iterable[Turn] = (), options: Options = QUICK) -> AsyncIterator[Running]:
    listener = Listener()
    endpoint = ChatEndpoint(url, "42", "", SecretStr(SECRET), "visitor")

    async def leftovers() -> Iterable[Turn]:
        return pending

    bridge = Bridge(endpoint, GuideDialect(), leftovers, listener, role=Role.ANSWERS, options=options)
    started = Running(bridge, listener)
    try:
        yield started
    finally:
        await started.bridge.close(0.0)
        async with asyncio.timeout(10):
            await started.task


@pytest.fixture
async def server() -> AsyncIterator[GuideServer]:
    async with guide_server() as server:
        yield server


def through(proxy: TcpProxy) -> str:
    return f"ws://127.0.0.1:{proxy.port}/ws/v1/"


async def test_turns_arrive_in_order_and_are_acknowledged_by_their_echo(server: GuideServer) -> None:
    """What was left from before, then what is said; the worker says hello and goodbye."""
    left, said = [make_turn(f"left {n}") for n in range(3)], [make_turn(f"said {n}") for n in range(40)]
    async with running(server.url, left) as call:
        for turn in said:
            call.bridge.deliver(turn)
        await call.bridge.settled()
        assert call.bridge.connected
        assert call.listener.delivered == [turn.id for turn in left + said]
        await call.bridge.close(10)
    assert server.texts == [turn.text for turn in left + said]
    assert server.log[:3] == ["open 1", "attach", "history"]
    assert server.log[-2:] == ["detach", "close 1"]


async def test_when_the_attempts_are_used_up_the_call_goes_on_without_chat(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is there: turns wait, nothing waits for them, and the log says so once, without a credential."""
    caplog.set_level(logging.DEBUG, "agent")
    async with running("ws://127.0.0.1:9/ws/v1/") as call:
        call.bridge.deliver(make_turn())
        async with asyncio.timeout(10):
            await call.task
        call.bridge.deliver(make_turn())
        assert (call.bridge.pending, call.bridge.connected) == (2, False)
        async with asyncio.timeout(1):
            await call.bridge.close(3600.0)
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "given up after 3 attempts" in errors[0]
    assert "turns wait in the journal" in errors[0]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_is_final_and_says_what_to_check(
    server: GuideServer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """One attempt, one error that names the settings and no token."""
    server.refuse = status
    async with running(server.url) as call, asyncio.timeout(10):
        await call.task
    assert f"refused the connection with {status}: check CHAT_TOKEN" in caplog.text
    assert SECRET not in caplog.text


async def test_what_was_stored_before_the_link_broke_is_not_sent_again(server: GuideServer) -> None:
    """Cut after storing: the echo is lost, the history shows it."""
    turn = make_turn("stored")
    async with TcpProxy(server.port) as proxy, running(through(proxy)) as call:
        await call.until(lambda: call.bridge.connected)
        proxy.reset_after_bytes(0, Way.TO_CLIENT)
        call.bridge.deliver(turn)
        await call.bridge.settled()
        assert proxy.faults["reset after bytes"] == 1
    assert server.log.count(f"append {turn.id}") == 1
    assert server.texts == ["stored"]
    assert call.listener.delivered == [turn.id]


async def test_nothing_leaves_on_a_link_before_its_history_was_read(server: GuideServer) -> None:
    """Also when the link before it broke while its own history was still under way."""
    turn = make_turn("once")
    server.history_open.clear()
    async with TcpProxy(server.port) as proxy, running(through(proxy), [turn]) as call:
        await server.until("open 1")
        await server.links[0].close(1011)
        await server.until("open 2")
        server.history_open.set()
        await call.bridge.settled()
    second = server.log.index("open 2")
    assert server.log.index(f"append {turn.id}") > server.log.index("history", second)
    assert server.log.count(f"append {turn.id}") == 1


async def test_turns_survive_resets_once_and_in_order(server: GuideServer) -> None:
    """Every few turns the link is reset in another way."""
    turns = [make_turn(f"turn {n}") for n in range(60)]
    options = Options(reconnect_interval=0.01, reconnect_attempts=1000)
    async with TcpProxy(server.port) as proxy, running(through(proxy), options=options) as call:
        for number, turn in enumerate(turns):
            call.bridge.deliver(turn)
            match number % 6:
                case 1:
                    proxy.drop()
                case 3:
                    proxy.reset_after_bytes(0, Way.TO_CLIENT)
                case 5:
                    proxy.reset_after_bytes(300, Way.TO_SERVER)
            await call.until(lambda: call.bridge.pending < 3)
        await call.bridge.settled()
    assert server.texts == [turn.text for turn in turns]
    assert sorted(call.listener.delivered) == sorted(turn.id for turn in turns)


async def test_a_history_that_fails_means_a_new_connection(server: GuideServer) -> None:
    """Nothing is sent, and nothing shown, before the thread could be read."""
    server.history_status = 500
    await server.say("before")
    async with running(server.url, [make_turn("waits")]) as call:
        await server.until("history")
        await server.say("meanwhile")
        server.history_status = 200
        await call.bridge.settled()
    assert call.listener.read == [["before", "meanwhile"]]
    assert server.texts == ["before", "meanwhile", "waits"]


async def test_what_others_write_reaches_the_call_once_across_a_break(server: GuideServer) -> None:
    """Live, and out of the history of the next link."""
    async with TcpProxy(server.port) as proxy, running(through(proxy)) as call:
        await call.until(lambda: call.bridge.connected)
        await server.say("live")
        await call.until(lambda: call.listener.messages == ["live"])
        proxy.refuse()
        proxy.drop()
        await proxy.wait_for_connections(0)
        await server.say("missed")
        proxy.resume()
        await call.until(lambda: len(call.listener.messages) == 2)
    assert call.listener.messages == ["live", "missed"]
    assert call.listener.read == [[]]


async def test_a_turn_that_cannot_be_sent_does_not_hold_up_the_others(
    server: GuideServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Half an emoji, such as a model's stream may leave: no server could read it. It stays in the journal."""
    bad, good = make_turn("half \ud83d"), make_turn("whole")
    async with running(server.url, [bad, good]) as call:
        await call.bridge.settled()
        assert call.listener.delivered == [good.id]
    assert server.texts == ["whole"]
    assert "lone surrogate" in caplog.text
    assert "half" not in caplog.text


async def test_the_end_of_a_call_does_not_wait_for_a_half_open_chat(server: GuideServer) -> None:
    """What is not acknowledged in time stays; the goodbye has a bound of its own."""
    async with TcpProxy(server.port) as proxy, running(through(proxy), options=Options(close_timeout=0.2)) as call:
        await call.until(lambda: call.bridge.connected)
        proxy.stall()
        call.bridge.deliver(make_turn())
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(20):
            await call.bridge.close(0.2)
        assert asyncio.get_running_loop().time() - began < 10
        assert call.bridge.pending == 1


async def test_what_comes_while_the_history_is_read_is_not_missed(server: GuideServer) -> None:
    """It may stand in the history or have come after it: either way the call is told."""
    server.history_open.clear()
    async with running(server.url) as call:
        await server.until("attach")
        await server.say("meanwhile")
        server.history_open.set()
        await call.until(lambda: call.bridge.connected)
        await server.say("later")
        await call.until(lambda: "later" in call.listener.messages)
    assert "meanwhile" in [*call.listener.read[0], *call.listener.messages]


async def test_the_end_of_a_call_does_not_wait_for_a_history_that_does_not_come(server: GuideServer) -> None:
    """The chat may hang at any moment."""
    server.history_open.clear()
    async with running(server.url) as call:
        await server.until("attach")
        began = asyncio.get_running_loop().time()
        await call.bridge.close(0.2)
        await call.task
        assert asyncio.get_running_loop().time() - began < 5


async def test_an_echo_is_missing_only_so_long_after_its_turn_was_sent(
    server: GuideServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn after a silence of nearly that long does not make a healthy connection look deaf."""
    monkeypatch.setattr("agent.chat.bridge.ECHO_TIMEOUT_S", 2.0)
    async with TcpProxy(server.port) as proxy, running(through(proxy)) as call:
        await call.until(lambda: call.bridge.connected)
        proxy.delay(0.2)
        await asyncio.sleep(1.8)
        call.bridge.deliver(make_turn())
        await call.bridge.settled()
    assert len(server.links) == 1


async def test_a_lively_thread_does_not_hide_that_our_echo_is_missing(
    server: GuideServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others' messages are no proof that ours arrived."""
    monkeypatch.setattr("agent.chat.bridge.ECHO_TIMEOUT_S", 0.5)
    turn = make_turn()
    async with TcpProxy(server.port) as proxy, running(through(proxy)) as call:
        await call.until(lambda: call.bridge.connected)
        proxy.swallow(Way.TO_SERVER)
        call.bridge.deliver(turn)
        async with asyncio.timeout(20):
            while len(server.links) < 2:
                await server.say("lively")
                await asyncio.sleep(0.1)
                proxy.resume()
        await call.bridge.settled()
    assert server.log.count(f"append {turn.id}") == 1


async def test_nothing_is_sent_before_it_is_known_what_was_left(server: GuideServer) -> None:
    """The call reads and hears the thread meanwhile; then the history is read again, and what was left goes first."""
    left, said = make_turn("left"), make_turn("said")
    free = asyncio.Event()

    async def leftovers() -> list[Turn]:
        await free.wait()
        return [left]

    listener = Listener()
    endpoint = ChatEndpoint(server.url, "42", "", SecretStr(SECRET), "visitor")
    call = Running(Bridge(endpoint, GuideDialect(), leftovers, listener, role=Role.ANSWERS, options=QUICK), listener)
    call.bridge.deliver(said)
    await call.until(lambda: bool(listener.read))
    await server.say("typed")
    await call.until(lambda: listener.messages == ["typed"])
    assert server.texts == ["typed"]
    free.set()
    await call.bridge.settled()
    await call.bridge.close(0.0)
    await call.task
    assert server.texts == ["typed", "left", "said"]
    assert server.log.count("history") == 2
    assert listener.messages == ["typed", "left", "said"]


async def test_a_bridge_that_is_cancelled_leaves_nothing_behind(server: GuideServer) -> None:
    """The worker's own delivery gives up after its time."""
    server.mute = True
    async with running(server.url, [make_turn()]) as call:
        await server.until("attach")
        call.task.cancel()
        await asyncio.gather(call.task, return_exceptions=True)
        await server.until("close 1")
        call.task = asyncio.create_task(asyncio.sleep(0))
    assert [task for task in asyncio.all_tasks() if task.get_name() == "websocket"] == []
