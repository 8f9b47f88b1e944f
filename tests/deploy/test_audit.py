"""The audit of what is locked, against a server that answers as OSV does."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.deploy.files import ROOT
from tests.support.worker import free_port


class Osv:
    """Remembers what it was asked, and knows the advisories that it is told."""

    def __init__(self) -> None:
        self.known: dict[str, list[str]] = {}
        self.asked: list[dict[str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        """`POST /v1/querybatch`."""
        self.asked = (await request.json())["queries"]
        results = [self.known.get(query["package"]["name"], []) for query in self.asked]
        return web.json_response({"results": [{"vulns": [{"id": i} for i in ids]} if ids else {} for ids in results]})


@pytest.fixture
async def osv() -> AsyncIterator[tuple[Osv, str]]:
    """The server and its address."""
    made = Osv()
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_post("/v1/querybatch", made.answer)
    async with TestServer(app) as server:
        yield made, str(server.make_url("")).rstrip("/")


async def audit(url: str, *arguments: str) -> tuple[int, str]:
    """Run it; the exit status, and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "scripts" / "audit"),
        *arguments,
        env={"PATH": os.environ["PATH"], "OSV_URL": url},
        stdout=subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_all_that_is_locked_is_asked_for_and_nothing_else_is_told(osv: tuple[Osv, str]) -> None:
    """Names and versions of Python's packages and the page's."""
    server, url = osv
    status, said = await audit(url)
    assert (status, "0 known vulnerabilities" in said) == (0, True)
    asked = {(q["package"]["ecosystem"], q["package"]["name"]) for q in server.asked}
    assert {("PyPI", "aiohttp"), ("PyPI", "livekit-agents"), ("npm", "livekit-client"), ("npm", "react")} <= asked
    assert ("npm", "vite") not in asked
    assert all(q.keys() == {"package", "version"} and q["version"][0].isdigit() for q in server.asked)
    assert len(json.dumps(server.asked)) < 1_000_000


async def test_a_vulnerability_is_named_and_fails(osv: tuple[Osv, str]) -> None:
    """CI stops at it."""
    server, url = osv
    server.known["aiohttp"] = ["PYSEC-0000-1"]
    status, said = await audit(url)
    assert status == 1
    assert "aiohttp 3." in said
    assert "PYSEC-0000-1" in said


async def test_where_there_are_no_advisories_that_is_said() -> None:
    """A machine without a network is not one without vulnerabilities."""
    url = f"http://127.0.0.1:{free_port()}"
    for arguments, wanted in (((), 0), (("--strict",), 1)):
        status, said = await audit(url, *arguments)
        assert (status, "NOT AUDITED" in said) == (wanted, True)
