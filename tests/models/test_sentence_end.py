"""How finished a sentence reads: by the weights, over HTTP, and where nobody answers."""

import asyncio
import logging

import openai
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from openai import OpenAI

from agent.dev.models.moonshine import Moonshine, weights
from agent.dev.models.sentence_reader import LONGEST, SentenceReader, last_sentence
from agent.models.sentence_models import RemoteSentenceModel

MODEL = "moonshine-tiny-en"
PAIRS = (
    ("I would like to book a table for two.", "I would like to book a table for"),
    ("My name is Alexander.", "My name is"),
    ("Could you tell me when the shop opens?", "Could you tell me when the"),
    ("They took the cross-town bus.", "They took the"),
)


@pytest.fixture(scope="module")
def reader() -> SentenceReader:
    return SentenceReader(Moonshine(weights()))


@pytest.mark.parametrize(("whole", "beginning"), PAIRS)
def test_a_beginning_reads_less_finished_than_the_whole(reader: SentenceReader, whole: str, beginning: str) -> None:
    """Whatever mark the recogniser puts behind either."""
    assert reader.unfinished(whole) < reader.unfinished(beginning) - 1
    assert reader.unfinished(beginning) > 0
    for mark in (".", ",", "...", "?", ""):
        assert reader.unfinished(beginning + mark) == reader.unfinished(beginning)


def test_the_last_sentence_alone_is_read(reader: SentenceReader) -> None:
    """What was said before is over; of a very long one the end is enough."""
    assert reader.unfinished("That is all. My name is") == reader.unfinished("My name is")
    assert last_sentence("Is it? Yes! And then …") == "And then"
    assert len(last_sentence("word " * 100)) <= LONGEST


@pytest.mark.parametrize("text", ["", " ", "...", "?!", "🙂", "Ünïcödé 字", "\x00"])
def test_any_text_has_a_number(reader: SentenceReader, text: str) -> None:
    """Without words it is 0."""
    assert -9 <= reader.unfinished(text) <= 9
    if not last_sentence(text):
        assert reader.unfinished(text) == 0


def test_the_local_models_serve_it(client: OpenAI, reader: SentenceReader) -> None:
    """With the same number, rounded."""
    body = {"model": MODEL, "text": "My name is"}
    answer = client.post("/sentence-end", cast_to=object, body=body)
    assert answer == {
        "object": "sentence_end",
        "model": MODEL,
        "unfinished": pytest.approx(reader.unfinished("My name is"), abs=0.001),
    }


@pytest.mark.parametrize(
    ("body", "status", "names"),
    [
        ({"model": "other", "text": "Yes."}, 404, "other"),
        ({"model": MODEL}, 400, "text"),
        ({"model": MODEL, "text": 7}, 400, "text"),
        ({"model": MODEL, "text": "a" * 100_001}, 400, "text"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(
    client: OpenAI, body: dict[str, object], status: int, names: str
) -> None:
    """As at the other endpoints."""
    with pytest.raises(openai.APIStatusError, match=names) as caught:
        client.post("/sentence-end", cast_to=object, body=body)
    assert caught.value.status_code == status


async def test_a_worker_asks_it_over_http(client: OpenAI) -> None:
    """The client of the provider is the one that transcribes."""
    async with openai.AsyncClient(base_url=str(client.base_url), api_key="any", max_retries=0) as asks:
        model = RemoteSentenceModel(asks, MODEL)
        # The first one opens the connection, for which a busy machine may take longer than a turn waits.
        while (unfinished := await model.unfinished("I would like to")) is None:
            model._rests_until = 0.0
        assert unfinished > 0


@pytest.mark.parametrize("answer", ["wrong", "hangs", "none", "refused"])
async def test_one_that_fails_is_left_alone_for_a_while(answer: str, caplog: pytest.LogCaptureFixture) -> None:
    """The turn goes on without it, the log says why once, and nothing of what was said."""
    asked = 0

    async def answers(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if answer == "hangs":
            await asyncio.sleep(5)
        return web.json_response({"unfinished": "very"} if answer == "wrong" else {}, status=200)

    app = web.Application()
    app.router.add_post("/v1/sentence-end", answers)
    async with TestServer(app) as server:
        port = 9 if answer == "refused" else server.port
        async with openai.AsyncClient(base_url=f"http://127.0.0.1:{port}/v1", api_key="any", max_retries=0) as asks:
            model = RemoteSentenceModel(asks, MODEL)
            with caplog.at_level(logging.WARNING, "agent.models"):
                for _ in range(3):
                    assert await model.unfinished("a secret matter") is None
    assert asked == (0 if answer == "refused" else 1)
    assert len(caplog.records) == 1
    assert "secret" not in str(vars(caplog.records[0]))
