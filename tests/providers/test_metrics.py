"""Models that fail are counted: each failure, each one that stands in, each request that nobody could do."""

from collections.abc import Iterator

import pytest

from agent.metrics.catalogue import FALLBACKS, MODEL_FAILURES, MODEL_OUTAGES
from agent.metrics.instrument import Sample, send_samples_to
from tests.providers.conftest import Build
from tests.providers.faults import status
from tests.providers.server import Provider


@pytest.fixture
def counted() -> Iterator[list[tuple[str, str]]]:
    """The metric and the stage of each sample about models."""
    taken: list[tuple[str, str]] = []

    def take(sample: Sample) -> None:
        if sample.metric in (MODEL_FAILURES.name, FALLBACKS.name, MODEL_OUTAGES.name):
            taken.append((sample.metric, sample.labels["stage"]))

    send_samples_to(take)
    yield taken
    send_samples_to(lambda sample: None)


async def test_a_model_that_stands_in_is_counted(
    build: Build, first: Provider, second: Provider, counted: list[tuple[str, str]]
) -> None:
    """One failure and one fallback, and no outage: the caller was answered."""
    first.fault = status(401)
    stages = await build(first, second)
    await stages.ask()
    assert counted == [(MODEL_FAILURES.name, "llm"), (FALLBACKS.name, "llm")]


async def test_a_request_that_nobody_could_do_is_counted_once(
    build: Build, first: Provider, second: Provider, counted: list[tuple[str, str]]
) -> None:
    """However often the models are asked for it."""
    first.fault = second.fault = status(401)
    stages = await build(first, second)
    await stages.ask()
    assert counted.count((MODEL_OUTAGES.name, "llm")) == 1
    assert counted[:3] == [(MODEL_FAILURES.name, "llm"), (FALLBACKS.name, "llm"), (MODEL_FAILURES.name, "llm")]
