"""What is no proper HTTP: refused, and quoted in no log, as it may be what somebody said."""

import gzip

import pytest

from tests.models.models_process import ModelsProcess
from tests.models.plain_http import send, send_raw
from tests.models.talk import MODEL

CHAT = "/v1/chat/completions"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "data",
    [
        b"heliotrope\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\nheliotrope heliotrope\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: heliotrope\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nheliotrope\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nheliotrope\r\n",
    ],
)
def test_broken_http_is_refused(server: ModelsProcess, data: bytes) -> None:
    """400, whether the first line is wrong or what follows it; the log does not quote it."""
    assert b" 400 Bad Request" in send_raw(server.port, data)
    assert "heliotrope" not in server.log()


def test_a_compressed_body_is_read(server: ModelsProcess) -> None:
    """Some clients compress what they send."""
    body = gzip.compress(b'{"model": "responder", "messages": [{"role": "user", "content": "Tea."}]}')
    answer = send(server.port, "POST", CHAT, body, {**JSON, "Content-Encoding": "gzip"})
    assert (answer.status, answer.json()["model"]) == (200, MODEL)


def test_a_body_that_is_not_compressed_as_it_says_is_refused(server: ModelsProcess) -> None:
    """400 in the shape of the API."""
    answer = send(server.port, "POST", CHAT, b"{}", {**JSON, "Content-Encoding": "gzip"})
    assert (answer.status, answer.error()["code"]) == (400, "invalid_body")


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(server: ModelsProcess) -> None:
    """The limit is on what is read, not on what is sent."""
    answer = send(server.port, "POST", CHAT, gzip.compress(bytes(50_000_000)), {**JSON, "Content-Encoding": "gzip"})
    assert (answer.status, answer.error()["code"]) == (413, "request_too_large")
