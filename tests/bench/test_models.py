"""The bench of the local models: what it counts, and where it says that latency suffers."""

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rich.console import Console

from bench.models import command
from bench.models.command import ModelsResult
from bench.models.load import Measured, Waits


def measured(calls: int, hearing: float, speaking: float, refused: int = 0) -> Measured:
    return Measured(calls, Waits([hearing] * 20), Waits([speaking] * 20, refused))


@pytest.mark.parametrize(
    ("rows", "most"),
    [
        ([measured(1, 100, 50), measured(5, 129, 64), measured(10, 131, 50)], 5),
        ([measured(1, 100, 50), measured(5, 100, 66)], 1),
        ([measured(1, 100, 50), measured(5, 100, 50, refused=1), measured(10, 100, 50)], 1),
        ([measured(1, 131, 50), measured(5, 100, 50)], 0),
    ],
)
def test_latency_suffers_where_either_wait_is_longer_or_somebody_is_refused(rows: list[Measured], most: int) -> None:
    """And what comes after that row no longer counts, were it quick by chance."""
    assert ModelsResult([measured(1, 100, 50)], rows, {}).most_calls() == most


async def test_refusals_are_counted_and_are_no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is told to come back has not been quick."""
    asked = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=429) if asked % 2 else web.Response(body=b"sound")

    app = web.Application()
    app.router.add_post("/v1/audio/{kind}", answer)
    async with TestServer(app) as server:
        monkeypatch.setattr(command, "models_server", lambda _: Given(str(server.make_url("/v1"))))
        lines: list[str] = []
        options = command.ModelsOptions((40,), 2, (1,), 1.0, 1.0, 1, json_output=True)
        await command.run_models(options, Console(quiet=True), lines.append)
    (row,) = json.loads(lines[-1])["together"]
    assert (row["at_once"], row["transcription"]["refused"], row["first_sound"]["refused"]) == (40, 40, 40)


class Given:
    """A server that is there already."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    async def __aenter__(self) -> str:
        return self._base_url

    async def __aexit__(self, *_: object) -> None:
        pass
