"""What is asked of livekit-agents though it does not publish it."""

import pytest
from livekit.agents.utils import http_context

from agent.worker.livekit_link import load_trust


async def test_the_trusted_authorities_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's HTTP session, made in the last moments of a call, does not read them again."""
    trust = load_trust()
    monkeypatch.setattr("ssl.create_default_context", lambda **_: pytest.fail("read again"))
    async with http_context.open():
        assert load_trust() is trust
