"""The sender: everything arrives, in order for each call, whatever happened in between."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from aiohttp import web

from agent.journal import JournalError, Notice
from agent.settings import load_settings
from agent.webhook.delivery import Chance, WebhookDelivery
from agent.webhook.endpoint import Endpoint, endpoint_of
from agent.webhook.post import new_http, post
from agent.webhook.retry import Outcome, Retries
from agent.webhook.spec import WebhookSpec
from tests.support.notices import begin_call
from tests.support.stores import OpenJournal, Store, open_at
from tests.support.turns import make_turn
from tests.support.webhook_receiver import SECRET, Receiver, webhook_receiver


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 2_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the queue too: what is queued now is due now."""
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as running:
        yield running


@asynccontextmanager
async def delivery(
    journal: OpenJournal, url: str, clock: Clock, retries: Retries | None = None, attempts: list[str] | None = None
) -> AsyncIterator[WebhookDelivery]:
    """A worker's sender to one address; each attempt is added to `attempts`."""
    settings = load_settings({"WEBHOOK_URL": url, "WEBHOOK_SECRET": SECRET}, None)
    async with new_http() as http:

        async def send(endpoint: Endpoint, notice: Notice) -> Outcome:
            if attempts is not None:
                attempts.append(notice.id)
            # Signed with the time of day, as a receiver wants it.
            return await post(http, endpoint.spec, endpoint.key, notice)

        yield WebhookDelivery(
            journal.outbox, partial(endpoint_of, settings=settings), send, retries, Chance(clock, lambda: 0.5)
        )


async def say(journal: OpenJournal, call_id: str, *texts: str) -> None:
    call = await begin_call(journal, call_id)
    for text in texts:
        await call.append(make_turn(text), delivered=False)


async def look_until(sender: WebhookDelivery, clock: Clock, seconds: float, step: float = 5.0) -> None:
    """So many seconds go by, and the sender looks every five of them."""
    for _ in range(int(seconds / step)):
        await sender.look()
        clock.now += step


def texts(receiver: Receiver, call_id: str) -> list[str]:
    """What was told of a call: the words of turns, the types of the rest."""
    return [
        event["data"].get("turn", {}).get("text", event["type"])
        for event in receiver.events
        if event["data"]["call_id"] == call_id
    ]


async def test_everything_arrives_in_order_for_each_call(
    journal: OpenJournal, receiver: Receiver, clock: Clock
) -> None:
    """Twenty turns of each of three calls, each told once."""
    for call in ("a", "b", "c"):
        await say(journal, call, *(str(number) for number in range(20)))
    async with delivery(journal, receiver.url, clock) as sender:
        await sender.look()
    for call in ("a", "b", "c"):
        assert texts(receiver, call) == ["call.started", *(str(number) for number in range(20))]
    assert len(set(receiver.ids)) == len(receiver.ids) == 63


async def test_a_receiver_that_was_down_for_ten_minutes_gets_everything(
    journal: OpenJournal, clock: Clock, unused_tcp_port: int
) -> None:
    """Nothing is lost, nothing overtakes, and a receiver that is down is not hammered."""
    attempts: list[str] = []
    async with delivery(journal, f"http://127.0.0.1:{unused_tcp_port}/hook", clock, attempts=attempts) as sender:
        for call in ("a", "b"):
            await say(journal, call, "before")
        await look_until(sender, clock, 300)
        await say(journal, "c", "meanwhile")
        await look_until(sender, clock, 300)
        assert len(attempts) < 40
        async with webhook_receiver(unused_tcp_port) as receiver:
            await look_until(sender, clock, 120)
            for call, word in (("a", "before"), ("b", "before"), ("c", "meanwhile")):
                assert texts(receiver, call) == ["call.started", word]
            assert len(receiver.ids) == 6
    records = await journal.outbox.notices_of_call("a")
    assert all(record.delivered_at is not None for record in records)
    assert records[0].attempts > 1


async def test_an_answer_that_is_lost_brings_the_notice_again_with_its_id(
    journal: OpenJournal, receiver: Receiver, clock: Clock
) -> None:
    """The receiver sees it twice, and knows it by the id."""

    async def take_and_fall_silent(request: web.Request) -> web.StreamResponse:
        receiver.ids.append(request.headers["webhook-id"])
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    await begin_call(journal, "a")
    receiver.answers = [take_and_fall_silent]
    async with delivery(journal, receiver.url, clock) as sender:
        await look_until(sender, clock, 20)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


async def test_a_refusal_is_given_up_loudly_and_the_rest_goes_on(
    journal: OpenJournal, receiver: Receiver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """After three 404s the notice is kept as failed; the next ones of its call are told. No words are in the log."""
    await say(journal, "a", "heliotrope")
    receiver.answers = [404, 404, 404]
    async with delivery(journal, receiver.url, clock) as sender:
        await look_until(sender, clock, 60)
    assert texts(receiver, "a") == ["heliotrope"]
    first, second = await journal.outbox.notices_of_call("a")
    assert (first.attempts, first.problem) == (3, "answered 404, 3 times")
    assert first.failed_at is not None
    assert second.delivered_at is not None
    (loud,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "given up: answered 404" in loud.getMessage()
    assert "heliotrope" not in caplog.text


async def test_one_notice_that_breaks_the_receiver_does_not_hold_up_other_calls(
    journal: OpenJournal, receiver: Receiver, clock: Clock
) -> None:
    """A 500 for one call's notice, again and again; the other calls are told meanwhile."""
    bad = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal bad
        receiver.answers.append(handle)
        body = await request.text()
        if '"call_id":"bad"' in body:
            bad += 1
            return web.Response(status=500)
        receiver.ids.append(request.headers["webhook-id"])
        return web.Response()

    receiver.answers = [handle]
    await say(journal, "bad", "one")
    for number in range(5):
        await say(journal, f"good{number}", "one", "two")
    async with delivery(journal, receiver.url, clock) as sender:
        await look_until(sender, clock, 60)
    assert len(set(receiver.ids)) == 15
    assert bad > 2


async def test_what_a_killed_worker_has_left_is_sent_by_the_next_one(
    store: Store, receiver: Receiver, clock: Clock
) -> None:
    """The queue is on the disk; a lease that nobody holds any more runs out."""
    with open_at(store.place) as journal:
        await say(journal, "a", "said")
        async with delivery(journal, "http://127.0.0.1:9/hook", clock) as killed:
            await killed.look()
    with open_at(store.place) as journal:
        async with delivery(journal, receiver.url, clock) as sender:
            await look_until(sender, clock, 120)
    assert texts(receiver, "a") == ["call.started", "said"]


async def test_what_waits_for_days_is_given_up(journal: OpenJournal, clock: Clock) -> None:
    """The queue does not grow for ever for a receiver that is gone."""
    await begin_call(journal, "a")
    retries = Retries(oldest_s=3_600.0)
    async with delivery(journal, "http://127.0.0.1:9/hook", clock, retries) as sender:
        await look_until(sender, clock, 7_200, step=60.0)
    (record,) = await journal.outbox.notices_of_call("a")
    assert record.failed_at is not None
    assert await journal.outbox.targets() == []


async def test_a_webhook_that_is_configured_no_more_waits_and_is_said_once(
    journal: OpenJournal, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A setting that was lost in a deployment loses nothing."""
    await begin_call(journal, "a")

    async def never(endpoint: Endpoint, notice: Notice) -> Outcome:
        raise AssertionError

    sender = WebhookDelivery(
        journal.outbox, partial(endpoint_of, settings=load_settings({}, None)), never, chance=Chance(clock)
    )
    for _ in range(3):
        await sender.look()
    assert caplog.text.count("WEBHOOK_URL is not set any more") == 1
    assert await journal.outbox.targets() == ["settings"]


async def test_one_receiver_that_hangs_does_not_hold_up_another(journal: OpenJournal, receiver: Receiver) -> None:
    """Each has its own queue."""
    released = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    async with webhook_receiver() as hanging:
        hanging.answers = [hang, hang]
        for target, call in ((hanging.url, "hangs"), (receiver.url, "well")):
            spec = WebhookSpec(url=target).model_dump_json()
            await begin_call(journal, call, target=spec)
        settings = load_settings({"WEBHOOK_SECRET": SECRET}, None)
        async with new_http() as http:

            async def send(endpoint: Endpoint, notice: Notice) -> Outcome:
                return await post(http, endpoint.spec, endpoint.key, notice)

            sender = WebhookDelivery(journal.outbox, partial(endpoint_of, settings=settings), send)
            running = asyncio.create_task(sender.run())
            try:
                async with asyncio.timeout(20):
                    while not receiver.ids:
                        await asyncio.sleep(0.02)
                # And it goes on being served.
                await begin_call(journal, "later", target=WebhookSpec(url=receiver.url).model_dump_json())
                async with asyncio.timeout(20):
                    while len(receiver.ids) < 2:
                        await asyncio.sleep(0.02)
                assert hanging.ids == []
            finally:
                released.set()
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


async def test_a_queue_that_cannot_be_read_is_said_and_the_worker_goes_on(
    journal: OpenJournal, clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk may come back."""

    async def broken() -> list[str]:
        raise JournalError("disk full")

    monkeypatch.setattr(journal.outbox, "targets", broken)
    async with delivery(journal, "http://127.0.0.1:9/hook", clock) as sender:
        await sender.look()
    assert "disk full" in caplog.text


async def test_the_end_of_a_worker_waits_for_no_receiver(
    journal: OpenJournal, receiver: Receiver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be sent within the bound waits for the next start, and nobody holds it."""
    released = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    await begin_call(journal, "a")
    receiver.answers = [hang]
    async with delivery(journal, receiver.url, clock) as sender:
        await sender.finish(0.2)
    assert "wait in the queue" in caplog.text
    async with delivery(journal, receiver.url, clock) as sender:
        await sender.finish(20.0)
    assert len(receiver.ids) == 1
    released.set()
