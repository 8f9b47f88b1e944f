"""Virtual time for tests in this process."""

import time

import pytest

from agent.replay import virtual_time


@pytest.fixture
def jumping_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time can run for the length of a test; that livekit-agents is imported already does not matter here."""
    monkeypatch.setattr(virtual_time, "_require_installed", lambda: None)
    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"):
        monkeypatch.setattr(time, name, getattr(time, name))
    virtual_time.install()
