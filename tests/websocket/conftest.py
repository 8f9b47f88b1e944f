"""A server for each test, and a stack that closes clients."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.websocket.server import Server, running_server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running_server() as server:
        yield server


@pytest.fixture
async def stack() -> AsyncIterator[contextlib.AsyncExitStack]:
    async with contextlib.AsyncExitStack() as stack:
        yield stack
