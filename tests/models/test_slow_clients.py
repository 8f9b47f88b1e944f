"""Clients that begin a request and do not go on: their place is not theirs for ever."""

import asyncio

import pytest

from agent.dev.models import requests
from tests.models.local_server import local_server, until_ready
from tests.models.plain_http import unfinished_request


async def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """408 after the time that a body may take, which is shorter here."""
    monkeypatch.setattr(requests, "BODY_TIMEOUT_S", 0.1)
    async with local_server() as client:
        await until_ready(client)

        def answer_to_half_a_request(path: str) -> bytes:
            with unfinished_request(client.base_url.port or 0, path) as connection:
                return connection.recv(65536)

        for path in ("/v1/audio/transcriptions", "/v1/audio/speech", "/v1/chat/completions"):
            answer = await asyncio.to_thread(answer_to_half_a_request, path)
            assert b" 408 " in answer
            assert b"request_timeout" in answer
