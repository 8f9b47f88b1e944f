"""More requests than a model takes on: the rest are told when to come back, and are served when there is room."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import openai
import pytest
from openai import OpenAI
from prometheus_client.parser import text_string_to_metric_families

from agent.dev.models.server import MAX_COMPLETIONS, MAX_SPEECHES, MAX_TRANSCRIPTIONS
from tests.models.models_process import ModelsProcess
from tests.models.plain_http import send, unfinished_request
from tests.models.talk import MODEL, user
from tests.support.recordings import RECORDINGS
from tests.support.wer import word_error_rate

Request = Callable[[OpenAI], object]
CARD = RECORDINGS["card_001"]
KINDS: dict[str, tuple[str, int, Request]] = {
    "transcriptions": (
        "/v1/audio/transcriptions",
        MAX_TRANSCRIPTIONS,
        lambda client: client.audio.transcriptions.create(model="moonshine-tiny-en", file=CARD.path),
    ),
    "speech": (
        "/v1/audio/speech",
        MAX_SPEECHES,
        lambda client: client.audio.speech.create(model="hibari", voice="alloy", input="Yes."),
    ),
    "chat": (
        "/v1/chat/completions",
        MAX_COMPLETIONS,
        lambda client: client.chat.completions.create(model=MODEL, messages=[user("Tea.")]),
    ),
}


@pytest.fixture
def full(server: ModelsProcess) -> Iterator[Callable[[str, int], ExitStack]]:
    """Takes all places of a model with requests that do not come to their end; closing what it returns frees them."""
    with ExitStack() as all_held:

        def fill(path: str, places: int) -> ExitStack:
            held = all_held.enter_context(ExitStack())
            for _ in range(places):
                held.enter_context(unfinished_request(server.port, path))
            return held

        yield fill


@pytest.mark.parametrize(("path", "places", "request_one"), KINDS.values(), ids=KINDS.keys())
def test_a_request_too_many_is_told_when_to_come_back(
    client: OpenAI, full: Callable[[str, int], ExitStack], path: str, places: int, request_one: Request
) -> None:
    """429 with `Retry-After`; as soon as the others have left, the same request is served."""
    held = full(path, places)
    with pytest.raises(openai.RateLimitError) as raised:
        request_one(client)
    refused = raised.value
    assert refused.response.headers["Retry-After"] == "1"
    assert (refused.code, refused.type) == ("rate_limit_exceeded", "rate_limit_error")
    assert "Ask again in 1 s" in refused.message
    assert "_MODELS" in refused.message
    held.close()
    _until_served(client, request_one)


def test_a_full_model_does_not_stop_the_others(client: OpenAI, full: Callable[[str, int], ExitStack]) -> None:
    """Each model has places of its own, and health and list of models need none."""
    path, places, transcribe = KINDS["transcriptions"]
    full(path, places)
    with pytest.raises(openai.RateLimitError):
        transcribe(client)
    assert KINDS["speech"][2](client)
    assert KINDS["chat"][2](client)
    assert client.models.list().data


def test_refusals_are_counted_and_logged(
    server: ModelsProcess, client: OpenAI, full: Callable[[str, int], ExitStack]
) -> None:
    """How full each model is and was can be seen, and how long the others waited for it."""
    path, places, speak = KINDS["speech"]
    before = metrics(server)
    held = full(path, places)
    with pytest.raises(openai.RateLimitError):
        speak(client)
    during = metrics(server)
    held.close()
    _until_served(client, speak)
    after = metrics(server)
    assert before["local_model_limit", "hibari", ""] == places
    assert during["local_model_taken", "hibari", ""] == places
    for name, answer, then, now in (
        ("local_model_requests_total", "full", before, during),
        ("local_model_wait_seconds_count", "", before, after),
    ):
        assert now[name, "hibari", answer] == then[name, "hibari", answer] + 1, name
    assert "a model is full, requests are refused" in server.log()


def metrics(server: ModelsProcess) -> dict[tuple[str, str, str], float]:
    """Each series by its name, model and answer."""
    families = text_string_to_metric_families(send(server.port, "GET", "/metrics").body.decode())
    return {
        (sample.name, sample.labels["model"], sample.labels.get("answer", "")): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_stock_client_comes_back_by_itself(server: ModelsProcess, full: Callable[[str, int], ExitStack]) -> None:
    """With its defaults it waits as it was told, and the caller sees nothing but the transcript."""
    path, places, _ = KINDS["transcriptions"]
    held = full(path, places)
    refusals = server.log().count("code=rate_limit_exceeded")
    with OpenAI(base_url=server.base_url, api_key="any") as patient, ThreadPoolExecutor(1) as thread:
        heard = thread.submit(patient.audio.transcriptions.create, model="moonshine-tiny-en", file=CARD.path)
        while server.log().count("code=rate_limit_exceeded") == refusals:
            _pause()
        held.close()
        assert word_error_rate(CARD.transcript, heard.result().text) == 0


def test_many_callers_at_once_all_get_their_own_answer(client: OpenAI) -> None:
    """As many as there are places, at the same time: nobody hears the words of another."""
    recordings = [RECORDINGS[name] for name in ("card_001", "card_003", "card_004", "front_left")]
    wanted = [recordings[number % 4] for number in range(MAX_TRANSCRIPTIONS)]
    with ThreadPoolExecutor(len(wanted)) as threads:
        heard = list(
            threads.map(
                lambda r: client.audio.transcriptions.create(model="moonshine-tiny-en", file=r.path).text, wanted
            )
        )
    assert [word_error_rate(r.transcript, text) for r, text in zip(wanted, heard, strict=True)] == [0.0] * len(wanted)


def _until_served(client: OpenAI, request_one: Request) -> None:
    while True:
        try:
            request_one(client)
        except openai.RateLimitError:
            _pause()
        else:
            return


def _pause() -> None:
    threading.Event().wait(0.02)
