"""Links that are dead without saying so: half-open, deaf, or full."""

import asyncio
import logging
import random
import time

import pytest

from agent.websocket import (
    Heartbeat,
    LinkLost,
    Message,
    Opened,
    Options,
    SendResult,
    WebSocketClient,
)
from tests.support.tcp_proxy import TcpProxy, Way
from tests.websocket.helpers import next_end, opened
from tests.websocket.server import Server

pytestmark = pytest.mark.timeout(60)


def proxied(proxy: TcpProxy, options: Options) -> WebSocketClient:
    return WebSocketClient(f"ws://127.0.0.1:{proxy.port}/", options)


@pytest.mark.parametrize("fault", ["stall", "swallow"])
async def test_a_half_open_link_is_found_by_pings_and_cut(server: Server, fault: str) -> None:
    """No closing handshake with somebody who is not there: the close comes at once, and a new link."""
    async with TcpProxy(server.port) as proxy:
        options = Options(ping_interval=0.1, ping_timeout=0.2, close_timeout=3600.0, reconnect_interval=0.01)
        client = proxied(proxy, options)
        events = client.events()
        async with client:
            await opened(events)
            proxy.stall() if fault == "stall" else proxy.swallow()
            end = await next_end(events)
            assert (end.close.code, end.close.was_clean) == (1006, False)
            assert isinstance(end.close.error, LinkLost)
            assert str(end.close.error) == "the link is dead: nothing was heard (ping)"
            proxy.resume()
            await opened(events)
            await client.aclose(code=1000)


async def test_a_half_open_link_is_found_while_the_write_buffer_is_full(server: Server) -> None:
    """Where `websockets` itself waits without end: its pings and its closing handshake stand in the same queue."""
    async with TcpProxy(server.port, buffer=4096) as proxy:
        options = Options(ping_interval=0.1, ping_timeout=0.3, reconnect_interval=3600.0)
        client = proxied(proxy, options)
        events = client.events()
        async with client:
            await opened(events)
            proxy.stall(Way.TO_SERVER)
            sent = [client.send_message(random.randbytes(500_000)) for _ in range(8)]
            end = await next_end(events)
            assert str(end.close.error) == "the link is dead: nothing was heard (ping)"
            assert any(message.result is not SendResult.SENT for message in sent)


async def test_a_message_that_cannot_be_written_in_time_means_a_dead_link(server: Server) -> None:
    """The server talks and does not read: pings would not find out, the writer does."""
    async with TcpProxy(server.port, buffer=4096) as proxy:
        client = proxied(proxy, Options(ping_interval=None, send_timeout=0.3, reconnect_interval=3600.0))
        events = client.events()
        async with client:
            await opened(events)
            proxy.stall(Way.TO_SERVER)
            sent = [client.send_message(random.randbytes(500_000)) for _ in range(8)]
            end = await next_end(events)
            assert str(end.close.error) == "the link is dead: a message could not be written in 0.3 s"
            assert SendResult.DROPPED in [message.result for message in sent]


async def test_closing_a_full_half_open_link_takes_no_longer_than_its_time(server: Server) -> None:
    """The owner gets away, whatever the network does."""
    async with TcpProxy(server.port, buffer=4096) as proxy:
        client = proxied(proxy, Options(close_timeout=0.2))
        events = client.events()
        async with client:
            await opened(events)
            proxy.stall()
            for _ in range(8):
                client.send_message(random.randbytes(500_000))
            await asyncio.sleep(0.1)
            async with asyncio.timeout(10):
                await client.aclose()


async def test_a_heartbeat_finds_a_server_that_answers_pings_and_is_deaf(server: Server) -> None:
    """The protocol's pings are answered below the application; only its own answer shows that it lives."""
    heartbeat = Heartbeat(message="hey", return_message="ho", interval=0.05, timeout=0.3)
    client = WebSocketClient(
        server.url, Options(heartbeat=heartbeat, ping_interval=0.05, ping_timeout=20.0, reconnect_interval=0.01)
    )
    events = client.events()
    async with client:
        end = await next_end(events)
        assert str(end.close.error) == "the link is dead: nothing was heard (heartbeat)"
        assert end.close.seconds >= 0.3
        assert client.ready_state is not None
    assert await server.received.get() == "hey"


async def test_any_message_counts_as_a_sign_of_life(server: Server) -> None:
    """A server that talks but does not know our heartbeat is not cut."""
    seen = asyncio.Event()
    client = WebSocketClient(
        server.url, Options(heartbeat=Heartbeat(interval=0.2, timeout=1.0)), on_close=lambda close: seen.set()
    )
    async with client:
        link = await server.link()
        for _ in range(30):
            await link.send("news")
            await asyncio.sleep(0.05)
        assert not seen.is_set()


async def test_the_heartbeats_answer_is_seen_by_on_message_alone(server: Server) -> None:
    """It is no message: neither the last one nor in a stream. Exact equality, and the round trip is measured."""
    server.echo = True
    seen: list[str | bytes] = []
    answered = asyncio.Event()

    def note(message: Message) -> None:
        seen.append(message.data)
        answered.set()

    client = WebSocketClient(
        server.url,
        Options(ping_interval=None, heartbeat=Heartbeat(message="hb", return_message="hb", interval=0.05)),
        on_message=note,
    )
    messages = client.messages()
    async with client:
        await answered.wait()
        assert client.last_message is None
        assert client.rtt is not None
        assert 0 <= client.rtt < 10
        client.send_message("hb ")
        assert (await anext(messages)).data == "hb "
    assert seen[0] == "hb"


async def test_a_heartbeat_may_be_made_anew_each_time_and_may_fail(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A function makes the message; if it fails, the link goes on without heartbeats."""
    numbers = iter(range(2))
    server.echo = True
    client = WebSocketClient(
        server.url,
        Options(heartbeat=Heartbeat(message=lambda: f"beat {next(numbers)}", interval=0.02, timeout=0.5)),
    )
    ended = client.events()
    async with client:
        assert await server.messages(2) == ["beat 0", "beat 1"]
        while "heartbeat" not in caplog.text:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.6)
        client.send_message("still there")
        assert await server.messages(1) == ["still there"]
    assert [type(event) for event in [event async for event in ended] if isinstance(event, Opened)] == [Opened]
    assert "the heartbeat's message failed (StopIteration" in caplog.text


async def test_the_round_trip_is_measured_by_pings(server: Server) -> None:
    """On a link with a known delay, and without any heartbeat."""
    async with TcpProxy(server.port) as proxy:
        proxy.delay(0.1, Way.TO_CLIENT)
        async with proxied(proxy, Options(ping_interval=0.05)) as client:
            while client.rtt is None:
                await asyncio.sleep(0.02)
            assert client.rtt >= 0.1


async def test_our_own_slowness_is_not_taken_for_the_servers(server: Server) -> None:
    """While a reader of ours holds the connection back, the unread pong is no sign of a dead link."""
    client = WebSocketClient(
        server.url, Options(ping_interval=0.05, ping_timeout=0.1, reconnect_interval=3600.0), buffer=2
    )
    messages = client.messages()
    async with client:
        link = await server.link()
        sending = asyncio.create_task(flood(link))
        await asyncio.sleep(0.6)
        received = [await anext(messages) for _ in range(40)]
        assert [message.data[0] for message in received] == list(range(40))
        await sending


async def test_a_blocked_event_loop_is_not_taken_for_a_dead_link(server: Server) -> None:
    """What came while the program did something else is read before the link is given up."""
    client = WebSocketClient(
        server.url, Options(heartbeat=Heartbeat(interval=0.1, timeout=0.5), reconnect_interval=3600.0)
    )
    events = client.events()
    async with client:
        await opened(events)
        link = await server.link()
        await link.send("news")
        time.sleep(0.8)
        assert await anext(events) == Message("news")
        await link.send("more")
        assert await anext(events) == Message("more")


async def flood(link: object) -> None:
    for number in range(40):
        await link.send(bytes([number]) + random.randbytes(30_000))  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "agent.websocket")
