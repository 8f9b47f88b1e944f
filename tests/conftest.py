"""What holds for tests of every kind."""

from pathlib import Path

import pytest
from hypothesis import settings

# Sockets, clocks and processes are everywhere but in a few files, and the machine may be busy with other work. What
# chaos finds is a lost or repeated turn, which nobody may run again until it is gone.
NEVER_AGAIN = ("chaos",)

# `make test` tries the same examples each time, so that it is not a lottery whether a change passes; pytest by itself
# goes on looking for new ones.
settings.register_profile("repeatable", derandomize=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that fails is run again, twice at most, and the summary says so."""
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] not in NEVER_AGAIN:
            item.add_marker(pytest.mark.flaky(reruns=2))
