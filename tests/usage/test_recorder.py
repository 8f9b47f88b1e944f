"""What a call used, counted at real requests whose numbers are known, through the fallbacks."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from livekit import rtc
from livekit.agents import APIConnectOptions, llm

from agent.job import Job
from agent.journal import CallEvent, CallRecord, SqliteJournal
from agent.journal.forgiving import CallJournal
from agent.journal.records import Detail
from agent.models import CallModels, ConfiguredModels, LocalEars, build_models
from agent.settings import load_settings
from agent.usage.entries import usage_of
from agent.usage.measure import Amounts, ModelKey, Stage
from agent.usage.prices import PriceTable, load_prices
from agent.usage.recorder import UsageRecorder
from tests.support.known_models import SPEECH_S, KnownModels, known_models

OPTIONS = APIConnectOptions(max_retry=0, timeout=5.0)
PRICES = """
["good/think"]
input_per_million_tokens = 0.4
cached_input_per_million_tokens = 0.1
output_per_million_tokens = 1.6
["good/hear"]
per_minute = 0.6
["good/speak"]
per_million_characters = 10
"""


@pytest.fixture
def prices(tmp_path: Path) -> PriceTable:
    file = tmp_path / "prices.toml"
    file.write_text(PRICES)
    return load_prices(file)


@asynccontextmanager
async def recorded_call(
    journal: SqliteJournal, prices: PriceTable, servers: dict[str, KnownModels], every_s: float = 60.0
) -> AsyncIterator[CallModels]:
    """A call's models, each an ordered list over these providers, with its recorder."""
    env = {f"{name.upper()}_BASE_URL": server.base_url for name, server in servers.items()}
    for kind, model in (("LLM", "think"), ("STT", "hear"), ("TTS", "speak")):
        env[f"{kind}_MODELS"] = ",".join(f"{name}/{model}" for name in servers)
    settings = load_settings(env, None)
    job = Job(conversation_id="c")
    source = ConfiguredModels(settings, ssl.create_default_context())
    models = build_models(settings, job, LocalEars.load(), source)
    written = CallJournal(journal, CallRecord("call", "c", "room", 1.0))
    recorder = UsageRecorder("call", models.members, written, prices, every_s)
    recorder.listen()
    try:
        yield models
    finally:
        await models.aclose()
        await recorder.finish()


async def think(models: CallModels) -> str:
    context = llm.ChatContext.empty()
    context.add_message(role="user", content="hello")
    text = ""
    async with models.llm.chat(chat_ctx=context, conn_options=OPTIONS) as stream:
        async for chunk in stream:
            text += (chunk.delta.content or "") if chunk.delta is not None else ""
    return text


async def speak(models: CallModels, words: str) -> None:
    async with models.tts.synthesize(words, conn_options=OPTIONS) as stream:
        async for _ in stream:
            pass


async def hear(models: CallModels, seconds: float) -> None:
    frame = rtc.AudioFrame(bytes(int(16_000 * seconds) * 2), 16_000, 1, int(16_000 * seconds))
    await models.stt.recognizer.recognize([frame], conn_options=OPTIONS)


async def use_all(models: CallModels) -> None:
    """Two thoughts, one sentence of 20 characters, and 3 seconds of audio transcribed twice."""
    for _ in range(2):
        await think(models)
    await speak(models, "x" * 20)
    for _ in range(2):
        await hear(models, 3.0)


THOUGHT = Amounts(requests=2, input_tokens=2_000, cached_input_tokens=800, output_tokens=100)
SPOKEN = Amounts(requests=1, unreported=1, characters=20, audio_seconds=SPEECH_S)
HEARD = Amounts(requests=2, unreported=2, audio_seconds=6.0)


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    return SqliteJournal(tmp_path / "j.db")


async def test_the_sums_are_those_of_the_requests(journal: SqliteJournal, prices: PriceTable) -> None:
    """Tokens, characters and seconds by model, and their cost, are in the journal when the call is over."""
    async with known_models() as good, recorded_call(journal, prices, {"good": good}) as models:
        await use_all(models)
    usage = usage_of(await journal.events_of_call("call"), prices)
    # The library fills up the last frame of 20 ms.
    assert {key: replace(used, audio_seconds=round(used.audio_seconds, 1)) for key, used in usage.amounts.items()} == {
        ModelKey(Stage.THINKING, "good/think"): THOUGHT,
        ModelKey(Stage.SPEAKING, "good/speak"): SPOKEN,
        ModelKey(Stage.HEARING, "good/hear"): HEARD,
    }
    costs = {key.stage.value: of_it.amount for key, of_it in usage.bill.costs.items()}
    assert costs == {"llm": Decimal("0.00072"), "tts": Decimal("0.0002"), "stt": Decimal("0.06")}
    assert usage.bill.total.amount == Decimal("0.06092")
    assert not usage.bill.total.at_least
    journal.close()


async def test_a_fallback_is_counted_once_and_under_its_own_name(journal: SqliteJournal, prices: PriceTable) -> None:
    """What the second model used is the second's, and nothing is counted twice."""
    async with (
        known_models(500) as bad,
        known_models() as good,
        recorded_call(journal, prices, {"bad": bad, "good": good}) as models,
    ):
        await think(models)
        await hear(models, 3.0)
    events = await journal.events_of_call("call")
    amounts = usage_of(events, prices).amounts
    assert amounts[ModelKey(Stage.THINKING, "good/think")].requests == 1
    assert ModelKey(Stage.THINKING, "bad/think") not in amounts
    assert sum(used.audio_seconds for key, used in amounts.items() if key.stage is Stage.HEARING) == 3.0
    journal.close()


async def test_a_killed_call_has_most_of_its_usage(journal: SqliteJournal, prices: PriceTable) -> None:
    """What was used is written while the call goes on, not at its end alone; the sums grow."""
    async with known_models() as good, recorded_call(journal, prices, {"good": good}, 0.05) as models:
        await think(models)
        first = await until_usage(journal, 1)
        await think(models)
        second = await until_usage(journal, len(first) + 1)
    assert usage_of(first, prices).amounts[ModelKey(Stage.THINKING, "good/think")].requests == 1
    assert usage_of(second, prices).amounts[ModelKey(Stage.THINKING, "good/think")].requests == 2
    journal.close()


async def until_usage(journal: SqliteJournal, count: int) -> list[CallEvent]:
    async with asyncio.timeout(20):
        while True:
            events = [event for event in await journal.events_of_call("call") if event.kind == "usage"]
            if len(events) >= count:
                return events
            await asyncio.sleep(0.02)


async def test_a_cost_that_was_known_then_stands_and_one_that_was_not_is_worked_out_now(prices: PriceTable) -> None:
    """A change of prices changes no past; naming a price later fills the gap."""
    details: dict[str, Detail] = {
        "stage": "llm",
        "model": "good/think",
        "purpose": "call",
        "currency": "USD",
        "at_least": False,
    }
    amounts: dict[str, Detail] = {
        "requests": 1,
        "cancelled": 0,
        "unreported": 0,
        "input_tokens": 1_000_000,
        "cached_input_tokens": 0,
    }
    rest: dict[str, Detail] = {"output_tokens": 0, "characters": 0, "audio_seconds": 0.0, "why": ""}
    known = CallEvent("call", 1.0, "usage", {**details, **amounts, **rest, "cost": 7.5})
    assert usage_of([known], prices).bill.total.amount == Decimal("7.5")
    unknown = CallEvent("call", 1.0, "usage", {**details, **amounts, **rest, "cost": None})
    assert usage_of([unknown], prices).bill.total.amount == Decimal("0.4")
