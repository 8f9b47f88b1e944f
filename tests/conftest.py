"""What holds for tests of every kind."""

from pathlib import Path

import pytest
from hypothesis import settings

# Tests of pure logic fail for a reason at once; everywhere else processes start, sockets close and recordings are
# recognised, on a machine that others may keep busy.
PURE = ("aftercare", "chaos", "deploy", "job", "manners", "plugins", "report", "scenes", "unit", "usage")

# `make test` tries the same examples each time, so that it is not a lottery whether a change passes; pytest by itself
# goes on looking for new ones.
settings.register_profile("repeatable", derandomize=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in real time that fails is run again, twice at most, and the summary says so."""
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] not in PURE:
            item.add_marker(pytest.mark.flaky(reruns=2))
