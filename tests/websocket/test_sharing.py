"""Several clients, one connection."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.websocket import (
    Address,
    Closed,
    Event,
    Message,
    Opened,
    Options,
    ReadyState,
    SharedPool,
    Stopped,
    StopReason,
    Stream,
    WebSocketClient,
)
from tests.websocket.helpers import is_open
from tests.websocket.server import Server

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
async def pool() -> AsyncIterator[SharedPool]:
    async with SharedPool() as pool:
        yield pool


async def types(events: Stream[Event], count: int) -> list[type[Event]]:
    """The kinds of the next events."""
    return [type(await anext(events)) for _ in range(count)]


async def test_clients_of_one_address_share_a_link_and_each_hears_everything(server: Server, pool: SharedPool) -> None:
    """One socket for all; callbacks, filters and last messages are each client's own."""
    heard: list[str] = []
    async with (
        WebSocketClient(server.url, share=pool, on_message=lambda m: heard.append(f"a {m.data!r}")) as one,
        WebSocketClient(server.url, share=pool, filter=lambda m: m.data != "x") as two,
    ):
        await is_open(one)
        await is_open(two)
        first, link = one.messages(), await server.link()
        await link.send("x")
        await anext(first)
        assert (one.last_message, two.last_message) == (Message("x"), None)
        assert heard == ["a 'x'"]
    assert len(server.requests) == 1


async def test_who_joins_an_open_connection_is_told_so(server: Server, pool: SharedPool) -> None:
    """The JavaScript library never calls a late subscriber's onOpen."""
    opened: list[Opened] = []
    async with WebSocketClient(server.url, share=pool) as early:
        await is_open(early)
        late = WebSocketClient(server.url, share=pool, on_open=opened.append)
        events = late.events()
        async with late:
            assert late.ready_state is ReadyState.OPEN
            assert await types(events, 1) == [Opened]
            assert [each.connection for each in opened] == [early.connection]


async def test_the_last_one_to_leave_closes_it(server: Server, pool: SharedPool) -> None:
    """A reference count; who leaves earlier is told an end of its own, and may still send its last words."""
    two = WebSocketClient(server.url, share=pool)
    async with WebSocketClient(server.url, share=pool) as one:
        async with two:
            events = two.events()
            await is_open(two)
            two.send_message("two's last")
            await two.aclose(drain=10)
        seen = [event async for event in events]
        assert [type(event) for event in seen][-2:] == [Closed, Stopped]
        assert two.ready_state is ReadyState.CLOSED
        assert one.ready_state is ReadyState.OPEN
        assert len(pool) == 1
        one.send_message("one goes on")
        assert await server.messages(2) == ["two's last", "one goes on"]
        assert server.closes.empty()
    assert len(pool) == 0
    assert await server.closes.get() == 1000


async def test_everybody_is_told_when_the_link_ends_and_one_attempt_follows(server: Server, pool: SharedPool) -> None:
    """Each of the JavaScript library's subscribers starts a timer of its own."""
    options = Options(reconnect_interval=0.01)
    clients = [WebSocketClient(server.url, options, share=pool) for _ in range(3)]
    streams = [client.events() for client in clients]
    for client in clients:
        await client.connect()
    assert [await types(stream, 1) for stream in streams] == [[Opened]] * 3
    (await server.link()).transport.abort()
    assert [await types(stream, 2) for stream in streams] == [[Closed, Opened]] * 3
    assert len(server.requests) == 2
    for client in clients:
        await client.aclose()


async def test_messages_leave_in_turn_and_those_of_one_who_left_do_not(server: Server, pool: SharedPool) -> None:
    """A client that floods does not keep the others waiting; a queue dies with its client."""
    one, two, gone = (WebSocketClient(server.url, share=pool, connect=False) for _ in range(3))
    for number in range(3):
        one.send_message(f"one {number}")
        two.send_message(f"two {number}")
        gone.send_message("never")
    await gone.aclose()
    async with one, two:
        await one.connect()
        await two.connect()
        sent = await server.messages(6)
    assert [each for each in sent if str(each).startswith("one")] == ["one 0", "one 1", "one 2"]
    assert [each for each in sent if str(each).startswith("two")] == ["two 0", "two 1", "two 2"]
    assert sent.index("two 0") < sent.index("one 2")


async def test_another_query_header_or_protocol_is_another_connection(server: Server, pool: SharedPool) -> None:
    """The key is all that the server sees, credentials included."""
    addresses = [
        Address(server.url),
        Address(server.url, {"token": "a"}),
        Address(server.url + "?token=a"),
        Address(server.url, headers={"Authorization": "a"}),
        Address(server.url, headers={"Authorization": "b"}),
        Address(server.url, protocols=["chat"]),
    ]
    clients = [WebSocketClient(address, share=pool) for address in addresses]
    for client in clients:
        await client.connect()
    assert len(pool) == 5
    await asyncio.gather(*(client.aclose() for client in clients))
    assert len(pool) == 0


async def test_one_connection_has_one_policy(server: Server, pool: SharedPool) -> None:
    """Two clients that want different reconnects cannot share: that is said, not guessed."""
    async with WebSocketClient(server.url, Options(reconnect_attempts=1), share=pool):
        with pytest.raises(ValueError, match="other options"):
            await WebSocketClient(server.url, Options(reconnect_attempts=2), share=pool).connect()


async def test_a_url_function_is_shared_by_identity(server: Server, pool: SharedPool) -> None:
    """Its result changes with each token, so that it cannot be the key."""
    asked = 0

    def url() -> str:
        nonlocal asked
        asked += 1
        return f"{server.url}?token={asked}"

    async with WebSocketClient(url, share=pool) as one, WebSocketClient(url, share=pool) as two:
        await is_open(one)
        await is_open(two)
    assert asked == 1


async def test_closing_the_pool_closes_everything_and_tells_everybody(server: Server) -> None:
    """What `resetGlobalState` is for: there is no global state, the pool has an owner."""
    async with SharedPool() as pool:
        client = WebSocketClient(server.url, share=pool)
        events = client.events()
        await client.connect()
        await is_open(client)
    assert [type(await anext(events)) for _ in range(2)] == [Opened, Closed]
    stopped = await anext(events)
    assert isinstance(stopped, Stopped)
    assert stopped.reason is StopReason.CLOSED
    assert client.ready_state is ReadyState.CLOSED
    await client.aclose()


async def test_a_client_that_leaves_does_not_hold_the_others_up(server: Server, pool: SharedPool) -> None:
    """A reader that stopped reading is waited for only as long as it is there."""
    async with WebSocketClient(server.url, share=pool) as reader:
        slow = WebSocketClient(server.url, share=pool, buffer=1)
        unread, messages = slow.messages(), reader.messages()
        await slow.connect()
        link = await server.link()
        for number in range(20):
            await link.send(str(number))
        assert (await anext(messages)).data == "0"
        await slow.aclose()
        assert [(await anext(messages)).data for _ in range(19)] == [str(number) for number in range(1, 20)]
        unread.close()


async def test_closing_the_pool_does_not_wait_for_a_reader_that_stopped(server: Server) -> None:
    """Its owner gets away, and the reader still finds everything up to the end."""
    async with SharedPool() as pool:
        client = WebSocketClient(server.url, share=pool, buffer=1)
        events = client.events()
        await client.connect()
        await is_open(client)
        link = await server.link()
        for number in range(10):
            await link.send(str(number))
        async with asyncio.timeout(10):
            await pool.aclose()
        await client.aclose()
    assert [type(event) async for event in events][-2:] == [Closed, Stopped]
