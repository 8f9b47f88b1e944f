"""No token and nothing that is said appears in a log, an error or a representation, at any level."""

import asyncio
import io
import logging
import sys
import traceback

import pytest

from agent.websocket import Address, Closed, Options, Stopped, WebSocketClient, WebSocketError
from tests.websocket.server import Server

pytestmark = pytest.mark.timeout(30)

SECRET = "hunter2"
WORDS = "what somebody said"


async def test_nothing_leaks_over_a_whole_life(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open, say, hear, fail, be refused, close: with every logger at DEBUG."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("websockets.server"), "disabled", True)  # the test's own side
    printed = io.StringIO()

    def url() -> Address:
        return Address(f"{server.url}?token={SECRET}", {"session": SECRET}, {"Authorization": f"JWT {SECRET}"})

    errors: list[WebSocketError] = []
    for source in (url, url()):
        options = Options(query_params={"k": SECRET}, headers={"X-K": SECRET}, reconnect_interval=0.01)
        client = WebSocketClient(source, options, on_error=errors.append)
        events = client.events()
        server.refuse = lambda request: None
        async with client:
            link = await server.link()
            client.send_message(WORDS)
            await server.messages(1)
            await link.send(WORDS)
            while client.last_message is None:
                await asyncio.sleep(0.01)
            print(client, repr(client), client.last_message, options, source, file=printed)
            server.refuse = lambda request: (401, {})
            await link.close(4000, WORDS)
            async for event in events:
                print(event, repr(event), file=printed)
                if isinstance(event, Closed):
                    print(event.close, file=printed)
                if isinstance(event, Stopped):
                    break
    for error in errors:
        traceback.print_exception(error, file=printed)
    assert errors
    everything = caplog.text + printed.getvalue()
    assert "refused the handshake with 401" in everything
    assert "websocket: open" in caplog.text
    assert SECRET not in everything
    assert WORDS not in everything


@pytest.mark.parametrize(
    "address",
    [f"http://h/?token={SECRET}", f"ws://h:x/?token={SECRET}", "ws://127.0.0.1:9/" + f"?token={SECRET}"],
)
async def test_an_address_that_fails_is_not_quoted(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the one that is none nor the one where nobody is."""
    caplog.set_level(logging.DEBUG)
    client = WebSocketClient(address, Options(reconnect_attempts=0))
    events = client.events()
    async with client:
        async for event in events:
            assert SECRET not in repr(event) + str(event)
            if isinstance(event, Stopped):
                assert event.close is not None
                assert event.close.error is not None
                assert SECRET not in "".join(traceback.format_exception(event.close.error))
                break
    assert SECRET not in caplog.text
    assert SECRET not in " ".join(sys.argv)
