"""docs/delivery.md promises nothing without a test."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"`((?:test_|TestCourier)\w+)`")


def test_every_test_that_the_page_names_exists() -> None:
    """A test that is renamed or removed takes its promise along."""
    named = set(NAME.findall((ROOT / "docs" / "delivery.md").read_text()))
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"^(?:async )?def (test_\w+)|^(TestCourier\w+) =", sources, re.MULTILINE))
    missing = named - {name for pair in there for name in pair}
    assert not missing
    assert len(named) > 40
