"""The client against a real server: its states, where it connects to, and how it ends."""

import asyncio
import json
from typing import Any

import pytest

from agent.websocket import (
    Address,
    Closed,
    Message,
    Opened,
    Options,
    ReadyState,
    SendResult,
    Stopped,
    StopReason,
    WebSocketClient,
)
from tests.websocket.helpers import NOBODY, is_open, open_client, state_of, until
from tests.websocket.server import Server, running_server

pytestmark = pytest.mark.timeout(30)


# States


async def test_the_states_of_a_connection_in_their_order(server: Server) -> None:
    """-1 before, 0 while connecting, 1 open, 2 closing, 3 closed: the numbers of the JavaScript library."""
    client = WebSocketClient(server.url)
    states = client.states()
    async with client:
        await is_open(client)
    assert [state.value async for state in states] == [-1, 0, 1, 2, 3]


async def test_without_a_url_there_is_no_connection_until_one_is_given(server: Server) -> None:
    """None: nothing is opened, the state is UNINSTANTIATED; a url later connects."""
    async with WebSocketClient(None) as client:
        assert state_of(client) is ReadyState.UNINSTANTIATED
        await client.retarget(server.url)
        await is_open(client)
        await client.retarget(None)
        assert state_of(client) is ReadyState.CLOSED
        assert await server.closes.get() == 1001


async def test_connect_false_waits_for_connect_and_disconnect_closes(server: Server) -> None:
    """The third argument of the hook: off, on, off; the last message is forgotten when it goes off."""
    server.echo = True
    async with WebSocketClient(server.url, connect=False) as client:
        assert state_of(client) is ReadyState.UNINSTANTIATED
        messages = client.messages()
        await client.connect()
        await client.connect()
        client.send_message("hello")
        await anext(messages)
        assert client.last_message == Message("hello")
        await client.disconnect()
        assert state_of(client) is ReadyState.CLOSED
        assert client.last_message is None
        assert await server.closes.get() == 1000
        await client.connect()
        client.send_message("again")
        assert (await anext(messages)).data == "again"
    assert len(server.requests) == 2


async def test_the_state_is_connecting_while_the_url_is_awaited(server: Server) -> None:
    """As in the JavaScript library."""
    asked, go = asyncio.Event(), asyncio.Event()

    async def url() -> str:
        asked.set()
        await go.wait()
        return server.url

    async with WebSocketClient(url) as client:
        await asked.wait()
        assert state_of(client) is ReadyState.CONNECTING
        go.set()
        await is_open(client)


async def test_a_new_reader_of_states_is_told_the_present_one(server: Server, stack: Any) -> None:
    """Nobody has to guess how things stand."""
    client = await open_client(WebSocketClient(server.url), stack)
    assert await anext(client.states()) is ReadyState.OPEN


# Where to


async def test_query_headers_and_subprotocols_reach_the_server(server: Server) -> None:
    """From the options and from the address, the url's own query included."""
    address = Address(server.url + "?a=1", {"token": "x&y"}, {"Authorization": "JWT t"})
    async with WebSocketClient(address, Options(query_params={"n": 2}, headers={"X-From": "test"})):
        await server.link()
    request = server.requests[0]
    assert request.path == "/?a=1&n=2&token=x%26y"
    assert (request.headers["Authorization"], request.headers["X-From"]) == ("JWT t", "test")


async def test_the_server_chooses_a_subprotocol() -> None:
    """One or several are offered; the chosen one is known."""
    async with (
        running_server(subprotocols=["two"]) as server,
        WebSocketClient(server.url, Options(protocols=["one", "two"])) as client,
    ):
        await is_open(client)
        assert client.subprotocol == "two"
        await client.retarget(server.url)
    assert server.requests[0].headers["Sec-WebSocket-Protocol"] == "one, two"
    assert Options(protocols="one").offered_protocols == ("one",)


async def test_new_query_parameters_mean_a_new_connection(server: Server) -> None:
    """A changed query cannot apply to a link that is open."""
    async with WebSocketClient(server.url, Options(query_params={"a": 1})) as client:
        await server.link()
        await client.retarget(server.url, query_params={"a": 2})
        await server.link()
    assert [request.path for request in server.requests] == ["/?a=1", "/?a=2"]


# Closing


async def test_closing_sends_what_is_queued_first_within_its_time(server: Server) -> None:
    """`aclose(drain=…)`: the last words leave; what is said after that is dropped; it may be called again."""
    client = WebSocketClient(server.url)
    async with client:
        last = [client.send_message(f"{number}") for number in range(100)]
        closing = asyncio.create_task(client.aclose(drain=10))
        await asyncio.sleep(0)
        assert await client.send_message("too late") is SendResult.DROPPED
        await closing
        assert {await each for each in last} == {SendResult.SENT}
        assert await server.messages(100) == [f"{number}" for number in range(100)]
        assert await server.closes.get() == 1000
        await client.aclose()
    assert server.received.empty()


async def test_draining_ends_in_time_and_with_the_last_attempt() -> None:
    """Nobody is there: the messages are dropped when the time or the attempts are up, whichever is first."""
    for options, drain in [(Options(), 0.05), (Options(reconnect_attempts=1, reconnect_interval=0.01), 3600.0)]:
        client = WebSocketClient(NOBODY, options)
        async with client:
            waiting = client.send_message("x")
            async with asyncio.timeout(20):
                await client.aclose(drain=drain)
        assert await waiting is SendResult.DROPPED


async def test_after_closing_nothing_is_opened_and_the_streams_end(server: Server) -> None:
    """The guide's didUnmount: no reconnection after that, whatever `should_reconnect` says."""
    client = WebSocketClient(server.url, Options(reconnect_interval=0.0, should_reconnect=lambda close: True))
    events, states, messages = client.events(), client.states(), client.messages()
    async with client:
        await is_open(client)
    assert [type(event) async for event in events] == [Opened, Closed, Stopped]
    assert [state async for state in states][-1] is ReadyState.CLOSED
    assert [message async for message in messages] == []
    await client.connect()
    assert state_of(client) is ReadyState.CLOSED
    assert len(server.requests) == 1
    assert await client.send_message("x") is SendResult.DROPPED


@pytest.mark.parametrize("url", [NOBODY, "hanging"])
async def test_closing_does_not_wait_for_an_attempt_or_a_pause(url: str) -> None:
    """In the middle of connecting, or of the pause between two attempts, the end comes at once."""

    async def hang() -> str:
        await asyncio.Event().wait()
        return ""

    client = WebSocketClient(hang if url == "hanging" else url, Options(reconnect_interval=3600.0))
    events = client.events()
    async with client:
        if url == NOBODY:
            assert isinstance(await anext(events), Closed)
        else:
            await until(client.states(), ReadyState.CONNECTING)
    seen = [event async for event in events]
    assert isinstance(seen[-1], Stopped)
    assert seen[-1].reason is StopReason.CLOSED
    assert state_of(client) is ReadyState.CLOSED


async def test_a_reader_may_close_the_client_while_more_is_coming(server: Server) -> None:
    """No deadlock between the reader that closes and the connection that waits for it to read."""
    client = WebSocketClient(server.url, buffer=1)
    async with client:
        stream = client.events()
        link = await server.link()
        for number in range(10):
            await link.send(json.dumps(number))
        async for event in stream:
            if isinstance(event, Message):
                async with asyncio.timeout(10):
                    await client.aclose()
                break
    assert state_of(client) is ReadyState.CLOSED


async def test_nothing_is_left_behind(server: Server) -> None:
    """No task and no timer outlives the client."""
    before = asyncio.all_tasks()
    async with WebSocketClient(server.url, Options(heartbeat=True)) as client:
        client.send_message("x")
        await server.messages(1)
    link = await server.link()
    await link.wait_closed()
    await server.closes.get()
    await asyncio.sleep(0)
    ours = {task for task in asyncio.all_tasks() - before if task.get_name() == "websocket"}
    assert ours == set()
    assert client.queued == 0


async def test_an_error_of_our_own_is_loud(caplog: pytest.LogCaptureFixture) -> None:
    """A transport that breaks its contract: the readers are told, the log names it, closing raises it."""

    async def broken(address: Address, options: Options) -> Any:
        raise ZeroDivisionError("what somebody said")

    client = WebSocketClient("ws://h/", transport=broken)
    events = client.events()
    await client.connect()
    with pytest.raises(ZeroDivisionError):
        await anext(events)
    assert client.ready_state is ReadyState.CLOSED
    assert "an error of ours (ZeroDivisionError)" in caplog.text
    assert "somebody" not in caplog.text
    with pytest.raises(ZeroDivisionError):
        await client.aclose()
