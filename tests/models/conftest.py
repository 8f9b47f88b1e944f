"""One real server for all tests of the models, and the stock `openai` client of it."""

from collections.abc import Iterator

import pytest
from openai import OpenAI

from tests.models.models_process import ModelsProcess, models_process, terminate, until_ready

# What the tests say, type, upload and ask for by name: none of it may be in the log, at any level.
SAID = ("heliotrope", "amiable", "clubs", "hedgehog", "I like", "meeting", "Rex", "Paris")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelsProcess]:
    """A server in its own process.

    Whatever the tests did to it, it has not failed once, has logged nothing of what they said, and ends in order.
    """
    with models_process(tmp_path_factory.mktemp("models") / "models.log") as running:
        until_ready(running)
        yield running
        status = terminate(running)
        log = running.log()
    assert "request failed" not in log
    assert "Traceback" not in log
    assert not [word for word in SAID if word in log]
    assert status == 0


@pytest.fixture(scope="session")
def client(server: ModelsProcess) -> Iterator[OpenAI]:
    """The stock client as people use it; it does not try again, so that every refusal is seen."""
    with OpenAI(base_url=server.base_url, api_key="any", max_retries=0) as made:
        yield made
