"""Virtual time for tests in this process."""

from tests.replay.conftest import jumping_time

__all__ = ["jumping_time"]
