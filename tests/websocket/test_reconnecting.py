"""Coming back: a real server that refuses, restarts and drops, and hours of failures without waiting."""

import asyncio
from typing import Any

import pytest

from agent.websocket import (
    Address,
    Close,
    Closed,
    ConnectError,
    HandshakeRefused,
    Message,
    Options,
    ReadyState,
    SendResult,
    Stopped,
    StopReason,
    WebSocketClient,
)
from tests.support.tcp_proxy import TcpProxy, Way
from tests.websocket.fake_transport import FakeLink, FakeTime, FakeTransport
from tests.websocket.helpers import QUICK, opened, stop_of
from tests.websocket.server import Server, running_server

pytestmark = pytest.mark.timeout(30)


async def run_until_stopped(transport: FakeTransport, options: Options, time: FakeTime, **given: Any) -> Stopped:
    client = WebSocketClient(
        "ws://h/", options, transport=transport, clock=time.clock, sleep=time.sleep, buffer=10_000, **given
    )
    events = client.events()
    async with client:
        return await stop_of(events)


async def test_one_failure_makes_one_attempt_after_one_pause() -> None:
    """Single flight: the JavaScript library starts two timers with both `retryOnError` and `shouldReconnect`."""
    transport, time = FakeTransport(ConnectError("no")), FakeTime()
    options = Options(retry_on_error=True, should_reconnect=lambda close: True, reconnect_interval=7.0)
    stop = await run_until_stopped(transport, options, time)
    assert time.pauses == [7.0] * 10
    assert len(transport.attempts) == 11
    assert (transport.at_once, time.at_once) == (1, 1)
    assert (stop.reason, stop.attempts) == (StopReason.EXHAUSTED, 10)


async def test_on_reconnect_stop_is_told_the_real_number_and_the_last_end() -> None:
    """The JavaScript library passes `undefined` when the option is not set, and nothing of the end."""
    told: list[tuple[int, Close | None]] = []
    options = Options(reconnect_interval=1.0)
    await run_until_stopped(
        FakeTransport(ConnectError("no")), options, FakeTime(), on_reconnect_stop=lambda *args: told.append(args)
    )
    ((attempts, close),) = told
    assert attempts == 10
    assert close is not None
    assert str(close.error) == "no"


async def test_a_server_that_accepts_and_drops_is_given_up() -> None:
    """Opening alone does not give the attempts back: that would be for ever."""

    class Dropping(FakeTransport):
        async def __call__(self, address: Address, options: Options) -> Any:
            link = FakeLink()
            link.end(1011)
            self.attempts.append(address)
            return link

    transport = Dropping(ConnectError("unused"))
    stop = await run_until_stopped(transport, Options(reconnect_attempts=3), FakeTime())
    assert (stop.reason, len(transport.attempts)) == (StopReason.EXHAUSTED, 4)


async def test_the_url_function_is_asked_for_every_attempt(server: Server) -> None:
    """A token is fresh each time; a function that fails counts as an attempt that failed, and is asked again."""
    asked = 0

    async def url() -> Address:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise OSError("the token service is down")
        return Address(server.url, {"token": f"t{asked}"})

    client = WebSocketClient(url, QUICK)
    events = client.events()
    async with client:
        await opened(events)
        (await server.link()).transport.abort()
        await opened(events)
    assert asked == 3
    assert [request.path for request in server.requests] == ["/?token=t1", "/?token=t3"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_handshake_is_final_and_a_clear_error(server: Server, status: int) -> None:
    """Bad credentials do not become good by repeating them."""
    server.refuse = lambda request: (status, {})
    client = WebSocketClient(server.url + "?token=hunter2", QUICK)
    events = client.events()
    async with client:
        stop = await stop_of(events)
    assert stop.reason is StopReason.REFUSED
    assert stop.close is not None
    assert isinstance(stop.close.error, HandshakeRefused)
    assert str(stop.close.error) == f"the server refused the handshake with {status}"
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [1000, 1008, 4401, 4403])
async def test_a_final_close_is_not_followed_by_another_link(server: Server, code: int) -> None:
    """The guide's best practice 2, and refusals that come once the link is open."""
    client = WebSocketClient(server.url, QUICK)
    events = client.events()
    async with client:
        await (await server.link()).close(code, "bye")
        stop = await stop_of(events)
    assert stop.reason is (StopReason.NOT_WANTED if code == 1000 else StopReason.REFUSED)
    assert stop.close is not None
    assert (stop.close.code, stop.close.reason, stop.close.was_clean) == (code, "bye", True)
    assert len(server.requests) == 1


async def test_retry_after_of_a_real_answer_is_obeyed(server: Server) -> None:
    """503 with a number of seconds; the pause is told with the end."""
    server.refuse = lambda request: (503, {"Retry-After": "77"})
    client = WebSocketClient(server.url, QUICK)
    events = client.events()
    async with client:
        closed = await anext(events)
    assert isinstance(closed, Closed)
    assert closed.retry_in == 77.0
    assert closed.close.status == 503


async def test_a_server_that_restarts_is_found_again_and_gets_what_waited() -> None:
    """Nobody listens for a while; what was queued meanwhile arrives, once and in order."""
    async with running_server() as first:
        port = first.port
        client = WebSocketClient(first.url, Options(reconnect_interval=0.02, reconnect_attempts=1000))
        events = client.events()
        await client.connect()
        await opened(events)
    async with client:
        while not (isinstance(event := await anext(events), Closed) and not event.close.opened):
            pass
        waiting = [client.send_message(text) for text in ("a", "b", "c")]
        async with running_server(port) as second:
            assert await second.messages(3) == ["a", "b", "c"]
            assert [await each for each in waiting] == [SendResult.SENT] * 3
            await client.aclose()


async def test_a_reset_connection_is_opened_again(server: Server) -> None:
    """A real RST in the middle of the traffic, and one in the middle of a frame."""
    async with TcpProxy(server.port) as proxy:
        client = WebSocketClient(f"ws://127.0.0.1:{proxy.port}/", QUICK)
        events = client.events()
        async with client:
            await opened(events)
            proxy.drop()
            await opened(events)
            proxy.reset_after_bytes(100, Way.TO_SERVER)
            cut = client.send_message(bytes(range(256)) * 100)
            await opened(events)
            assert await cut in (SendResult.SENT, SendResult.DROPPED)
            client.send_message("whole")
            assert await server.messages(1) == ["whole"]
        assert (proxy.faults["dropped"], proxy.faults["reset after bytes"]) == (1, 1)


async def test_a_message_that_was_written_to_a_dying_link_is_not_sent_twice() -> None:
    """It may have arrived: at most once. Acknowledgements are the application's, by its own ids."""

    class Dying(FakeLink):
        async def send(self, data: str | bytes) -> None:
            self.sent.append(data)
            self.end()
            await asyncio.Event().wait()

    dying, next_link, time = Dying(), FakeLink(), FakeTime()
    client = WebSocketClient(
        "ws://h/", transport=FakeTransport(dying, next_link), clock=time.clock, sleep=time.sleep, connect=False
    )
    first, second = client.send_message("first"), client.send_message("second")
    async with client:
        await client.connect()
        assert await first is SendResult.DROPPED
        assert await second is SendResult.SENT
    assert (dying.sent, next_link.sent) == (["first"], ["second"])


async def test_a_message_that_was_never_written_waits_for_the_next_link() -> None:
    """The link was closed before the first byte: nothing is lost."""

    class Closing(FakeLink):
        async def send(self, data: str | bytes) -> None:
            self.end(1011)
            await super().send(data)

    closed, next_link, time = Closing(), FakeLink(), FakeTime()
    client = WebSocketClient(
        "ws://h/", transport=FakeTransport(closed, next_link), clock=time.clock, sleep=time.sleep, connect=False
    )
    message = client.send_message("x")
    async with client:
        await client.connect()
        assert await message is SendResult.SENT
    assert next_link.sent == ["x"]


async def test_reconnect_gives_up_a_link_for_a_new_one(server: Server) -> None:
    """For a server that is there and deaf: also when it answers our going away with a normal close."""
    client = WebSocketClient(server.url, QUICK)
    events = client.events()
    async with client:
        first = await opened(events)
        await client.reconnect()
        closed = await anext(events)
        assert isinstance(closed, Closed)
        assert (closed.close.code, closed.close.by_us) == (1001, True)
        assert (await opened(events)).connection != first.connection


async def test_connect_after_the_attempts_were_used_up_begins_anew(server: Server) -> None:
    """Giving up is not for ever: whoever asks again gets all attempts again."""
    server.refuse = lambda request: (500, {}) if len(server.requests) < 3 else None
    client = WebSocketClient(server.url, Options(reconnect_attempts=1, reconnect_interval=0.0))
    events = client.events()
    async with client:
        assert (await stop_of(events)).reason is StopReason.EXHAUSTED
        await client.connect()
        await opened(events)
        assert client.ready_state is ReadyState.OPEN
    assert len(server.requests) == 3


async def test_messages_that_came_before_the_end_are_not_lost(server: Server) -> None:
    """What the server said last is read, and comes before the close."""
    client = WebSocketClient(server.url, QUICK)
    events = client.events()
    async with client:
        link = await server.link()
        for number in range(50):
            await link.send(str(number))
        await link.close(1000)
        await stop_of(events)
        seen = client.last_message
    assert seen == Message("49")
