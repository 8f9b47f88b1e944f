"""One attempt over real sockets: what each answer means, and what a hostile receiver cannot do."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from agent.journal import Notice
from agent.webhook import post as posting
from agent.webhook.post import new_http, post
from agent.webhook.retry import Delivered, Outcome, Refused, Unavailable
from agent.webhook.signature import parse_secret
from agent.webhook.spec import WebhookSpec
from tests.support.webhook_receiver import SECRET, Answer, Receiver, webhook_receiver

SELF_SIGNED = Path(__file__).parents[1] / "support" / "tls" / "self_signed.pem"
NOTICE = Notice("evt_1", "call", "turn", 1.0, '{"type":"turn"}')


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as running:
        yield running


async def attempt(url: str) -> Outcome:
    async with new_http() as http:
        return await post(http, WebhookSpec(url=url), parse_secret(SECRET), NOTICE)


async def test_a_notice_arrives_as_it_was_queued(receiver: Receiver) -> None:
    """The body is the one of the queue, verifiable, with the notice's id."""
    assert await attempt(receiver.url) == Delivered()
    assert (receiver.ids, receiver.events) == (["evt_1"], [{"type": "turn"}])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Delivered()),
        (202, Delivered()),
        (400, Refused("answered 400")),
        (404, Refused("answered 404")),
        (410, Refused("answered 410")),
        (408, Unavailable("answered 408")),
        (429, Unavailable("answered 429")),
        (500, Unavailable("answered 500")),
        (503, Unavailable("answered 503")),
    ],
)
async def test_the_status_says_what_becomes_of_it(receiver: Receiver, status: int, outcome: Outcome) -> None:
    """2xx is an acknowledgement; 4xx is a refusal, but for those that mean not now."""
    receiver.answers = [status]
    assert await attempt(receiver.url) == outcome


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    """Nobody else gets what was said; it counts as a refusal that says so."""

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"location": receiver.url})

    receiver.answers = [elsewhere]
    outcome = await attempt(receiver.url)
    assert isinstance(outcome, Refused)
    assert "redirect" in outcome.problem
    assert receiver.ids == []


async def test_a_receiver_says_when_to_come_back(receiver: Receiver) -> None:
    """The seconds of `retry-after` are told; anything else in it is nothing."""

    def busy(value: str) -> Answer:
        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response(status=503, headers={"retry-after": value})

        return answer

    for value, seconds in (("7", 7.0), ("soon", None), ("-1", None), ("9" * 20, None)):
        receiver.answers = [busy(value)]
        assert await attempt(receiver.url) == Unavailable("answered 503", seconds)


async def test_an_endless_answer_costs_little(receiver: Receiver) -> None:
    """The status counts; of 200 MB a few kilobytes are read."""
    written = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(200):
                await response.write(bytes(1_000_000))
                written += 1
        except ConnectionError:
            pass
        return response

    receiver.answers = [flood]
    begun = time.monotonic()
    assert await attempt(receiver.url) == Delivered()
    assert time.monotonic() - begun < 30
    assert written < 100


async def test_an_answer_that_drips_does_not_hold_us(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the status is there, the rest may take a moment and not more."""
    monkeypatch.setattr(posting, "ANSWER_TIMEOUT_S", 0.1)
    released = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        await released.wait()
        return response

    receiver.answers = [drip]
    assert await asyncio.wait_for(attempt(receiver.url), 20) == Delivered()
    released.set()


async def test_a_receiver_that_hangs_is_left(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time-out the attempt is over, and the notice is tried again later."""
    monkeypatch.setattr(posting, "TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    released = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    receiver.answers = [hang]
    outcome = await attempt(receiver.url)
    released.set()
    assert isinstance(outcome, Unavailable)
    assert "Timeout" in outcome.problem


async def test_nobody_there_is_said_without_the_address(unused_tcp_port: int) -> None:
    """A refused connection is no crash, and the address, which may hold a key, is in no message."""
    outcome = await attempt(f"http://127.0.0.1:{unused_tcp_port}/hook?key=hunter2")
    assert isinstance(outcome, Unavailable)
    assert "hunter2" not in outcome.problem


async def test_what_is_no_http_is_no_crash() -> None:
    """A server that speaks something else counts as one that is not there."""

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x00\xff SMTP ready\r\n" * 3)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert isinstance(await attempt(f"http://127.0.0.1:{port}/"), Unavailable)


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    """Nothing is sent to whoever only says that they are the receiver."""
    came: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        came.append(await request.text())
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", handle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        outcome = await attempt(f"https://localhost:{runner.addresses[0][1]}/hook")
    finally:
        await runner.cleanup()
    assert isinstance(outcome, Unavailable)
    assert "Certificate" in outcome.problem
    assert came == []
