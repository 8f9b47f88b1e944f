"""What the server says about itself and its models."""

import openai
import pytest
from openai import OpenAI

from tests.models.models_process import ModelsProcess
from tests.models.plain_http import send

MODELS = {"moonshine-tiny-en", "hibari", "responder"}


def test_the_models_are_listed(client: OpenAI) -> None:
    """`models.list()` names one model for hearing, one for speaking, one for thinking."""
    listed = client.models.list().data
    assert {model.id for model in listed} == MODELS
    assert all(model.object == "model" and model.owned_by == "local" and model.created > 0 for model in listed)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_model_is_retrieved_by_its_id(client: OpenAI, model: str) -> None:
    """`models.retrieve()` finds each listed model."""
    assert client.models.retrieve(model).id == model


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    """The error says which models there are."""
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("gpt-9")
    assert refused.value.code == "model_not_found"
    assert refused.value.param == "model"
    assert all(model in str(refused.value) for model in MODELS)


def test_the_base_address_answers(client: OpenAI, server: ModelsProcess) -> None:
    """Clients that open their connection ahead of time with GET /v1/ are no event for the log (livekit's plugin)."""
    refusals = server.log().count("request refused")
    assert "responder" in client.get("/", cast_to=str)
    assert server.log().count("request refused") == refusals


def test_the_server_is_healthy_once_its_models_are_loaded(server: ModelsProcess) -> None:
    """`/healthz` is what the supervisor waits for."""
    answer = send(server.port, "GET", "/healthz")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


def test_an_unknown_address_is_refused_in_the_shape_of_the_api(server: ModelsProcess) -> None:
    """The stock client shows a message instead of a page of HTML, and the address is not in the log."""
    answer = send(server.port, "GET", "/v1/heliotrope")
    assert answer.status == 404
    assert answer.error()["type"] == "invalid_request_error"
    assert "heliotrope" not in server.log()


def test_a_wrong_method_is_refused_with_the_right_one(server: ModelsProcess) -> None:
    """405 names what is allowed."""
    answer = send(server.port, "GET", "/v1/chat/completions")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert answer.error()["message"]


def test_every_response_has_an_id(client: OpenAI) -> None:
    """The client shows it in its errors, and livekit's plugin warns without one."""
    ids = {client.models.with_raw_response.list().headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("nothing")
    assert refused.value.request_id
