"""docs/providers.md: each claim has a test that exists, and the settings are the true ones."""

import re
from pathlib import Path

from agent.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "providers.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    """A claim without proof is found."""
    sources = "\n".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", DOCS))
    assert len(named) > 40
    assert [name for name in sorted(named) if f"def {name}(" not in sources] == []


def test_the_settings_and_their_defaults_are_the_true_ones() -> None:
    """The table of time-outs, and the rests."""
    defaults = {str(field.validation_alias): field.default for field in Settings.model_fields.values()}
    shown = dict(re.findall(r"^\| `([A-Z_]+_SECONDS)` \| ([\d.]+) \|", DOCS, re.MULTILINE))
    shown |= dict(re.findall(r"`(MODEL_\w+)` \((\d+)\)", DOCS))
    assert len(shown) == 7
    assert {name: float(value) for name, value in shown.items()} == {name: defaults[name] for name in shown}
