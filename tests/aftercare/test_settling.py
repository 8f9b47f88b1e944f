"""What is done for calls that are over, by the worker, whoever has died in between."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.aftercare.settling import CallSettler
from agent.aftercare.summariser import Summariser
from agent.journal import CallEvent
from agent.journal.outbox import Lease
from agent.journal.processes import ProcessId
from agent.journal.records import Detail
from agent.settings import load_settings
from agent.summary.spec import SummarySpec
from agent.summary.summary import Summary
from agent.turns import Turn
from agent.usage.prices import PriceTable, load_prices
from tests.support.known_models import KnownModels, known_models
from tests.support.notices import begin_call
from tests.support.stores import OpenJournal, Store
from tests.support.turns import make_turn

GOOD = json.dumps({"summary": "The caller said hello."})


@pytest.fixture
async def models() -> AsyncIterator[KnownModels]:
    async with known_models(GOOD) as running:
        yield running


@pytest.fixture
def prices(tmp_path: Path) -> PriceTable:
    own = tmp_path / "prices.toml"
    own.write_text('["good/think"]\ninput_per_million_tokens = 1\noutput_per_million_tokens = 1\n')
    return load_prices(own)


async def nobody(call_id: str, spec: SummarySpec, names: tuple[str, ...], turns: list[Turn]) -> Summary:
    raise AssertionError("no summary was asked for")


def kill(store: Store, call_id: str) -> None:
    """The call's process is gone; what has its number now is another one."""
    me = ProcessId.current()
    store.set_process_of_call(call_id, ProcessId(me.pid, me.started - 60))


async def ends(journal: OpenJournal) -> list[dict[str, Any]]:
    """The ends of calls that are queued, as a receiver reads them."""
    found: list[dict[str, Any]] = []
    lease = Lease("test", 1e12, 1e12)
    while due := await journal.outbox.due("settings", lease, 10):
        for one in due:
            await journal.outbox.delivered(one.notice.id, 1e12)
            if one.notice.kind == "call.ended":
                found.append(json.loads(one.notice.body)["data"])
    return found


async def test_a_call_that_ended_is_told_with_its_sums(journal: OpenJournal, prices: PriceTable) -> None:
    """Reason, turns, what is undelivered, usage and cost; once."""
    call = await begin_call(journal, "call")
    await call.append(make_turn("said"), delivered=False)
    await call.append(make_turn("typed"), delivered=True)
    used: dict[str, Detail] = {
        "stage": "llm",
        "model": "good/think",
        "purpose": "call",
        "requests": 1,
        "cancelled": 0,
        "unreported": 0,
    }
    used |= {"input_tokens": 10, "cached_input_tokens": 0, "output_tokens": 5, "characters": 0, "audio_seconds": 0.0}
    cost: dict[str, Detail] = {"cost": 0.25, "currency": "USD", "at_least": False, "why": ""}
    await call.record(CallEvent("call", 1.0, "usage", {**used, **cost}))
    await call.ended("hung up")
    settler = CallSettler(journal, prices, nobody)
    assert await settler.look() == 1
    assert await settler.look() == 0
    (end,) = await ends(journal)
    assert (end["state"], end["reason"], end["turns"], end["undelivered_turns"]) == ("ended", "hung up", 2, 1)
    assert end["usage"]["cost"] == {"amount": 0.25, "at_least": False, "why": None}
    assert end["usage"]["models"][0]["input_tokens"] == 10
    assert end["summary"] is None


async def test_a_running_call_is_left_alone(journal: OpenJournal, prices: PriceTable) -> None:
    """However long it lasts."""
    await begin_call(journal, "call")
    assert await CallSettler(journal, prices, nobody).look() == 0


async def test_a_call_whose_process_was_killed_is_told_as_lost(
    store: Store, journal: OpenJournal, prices: PriceTable, caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver does not wait for its end for ever."""
    await (await begin_call(journal, "call")).append(make_turn("said"), delivered=False)
    kill(store, "call")
    assert await CallSettler(journal, prices, nobody).look() == 1
    (end,) = await ends(journal)
    assert (end["state"], end["ended_at"], end["reason"], end["turns"]) == ("lost", None, None, 1)
    assert "a call was lost" in caplog.text


async def test_a_summary_is_kept_told_and_billed(journal: OpenJournal, prices: PriceTable, models: KnownModels) -> None:
    """In the journal and in the notice; what it used is recorded beside what the call used."""
    call = await begin_call(journal, "call", summary=SummarySpec(), models=("good/think",))
    await call.append(make_turn("hello"), delivered=False)
    await call.ended("hung up")
    settings = load_settings({"GOOD_BASE_URL": models.base_url}, None)
    await CallSettler(journal, prices, Summariser(settings, journal, prices)).look()
    (end,) = await ends(journal)
    assert end["summary"]["text"] == "The caller said hello."
    assert (end["summary"]["made_by"], end["summary"]["model"]) == ("model", "good/think")
    (used,) = end["usage"]["models"]
    assert (used["purpose"], used["input_tokens"], used["cost"]["amount"]) == ("summary", 1_000, 0.00105)
    kept = await journal.outbox.summary_of_call("call")
    assert kept is not None
    assert Summary.from_json(kept).text == "The caller said hello."


async def test_a_worker_that_was_killed_in_between_does_not_ask_the_model_twice(
    journal: OpenJournal, prices: PriceTable
) -> None:
    """The summary was kept; what is left is to tell it."""
    call = await begin_call(journal, "call", summary=SummarySpec(), models=("good/think",))
    await call.ended("hung up")
    await journal.outbox.keep_summary("call", Summary(1.0, "good/think", "Made before.").to_json())
    await CallSettler(journal, prices, nobody).look()
    assert [end["summary"]["text"] for end in await ends(journal)] == ["Made before."]


async def test_a_summary_that_could_not_be_made_is_said(journal: OpenJournal, prices: PriceTable) -> None:
    """A provider that nobody configured any more; the end of the call is told all the same."""
    call = await begin_call(journal, "call", summary=SummarySpec(), models=("gone/think",))
    await call.append(make_turn("hello"), delivered=False)
    await call.ended("hung up")
    await CallSettler(journal, prices, Summariser(load_settings({}, None), journal, prices)).look()
    (end,) = await ends(journal)
    assert end["summary"]["text"] == ""
    assert "GONE_BASE_URL" in end["summary"]["problem"]


async def test_a_summary_without_a_webhook_is_kept_and_told_to_nobody(
    journal: OpenJournal, prices: PriceTable, models: KnownModels
) -> None:
    """It is for the report."""
    call = await begin_call(journal, "call", target=None, summary=SummarySpec(), models=("good/think",))
    await call.append(make_turn("hello"), delivered=False)
    await call.ended("hung up")
    settings = load_settings({"GOOD_BASE_URL": models.base_url}, None)
    await CallSettler(journal, prices, Summariser(settings, journal, prices)).look()
    assert await journal.outbox.summary_of_call("call") is not None
    assert await journal.outbox.notices_of_call("call") == []


async def test_two_workers_do_not_settle_one_call_at_once(journal: OpenJournal, prices: PriceTable) -> None:
    """Two summaries would be paid for."""
    call = await begin_call(journal, "call")
    await call.ended("hung up")
    over = await journal.outbox.calls_over(Lease("one", 1e12, 1e12 + 60), 10)
    assert [one.call.id for one in over] == ["call"]
    assert await journal.outbox.calls_over(Lease("two", 1e12, 1e12 + 60), 10) == []
    assert len(await journal.outbox.calls_over(Lease("two", 1e12 + 61, 1e12 + 99), 10)) == 1


async def test_usage_that_cannot_be_read_does_not_stop_the_end(
    journal: OpenJournal, prices: PriceTable, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told as not known."""
    call = await begin_call(journal, "call")
    await call.record(CallEvent("call", 1.0, "usage", {"stage": "smell"}))
    await call.ended("hung up")
    await CallSettler(journal, prices, nobody).look()
    assert [end["usage"] for end in await ends(journal)] == [None]
    assert "cannot be read" in caplog.text
