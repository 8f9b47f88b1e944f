"""docs/recording.md holds: its example can be used, and each promise has its test."""

import re

import yaml

from agent.job import Profile
from agent.recording.events import Status
from tests.support.stack import ROOT

TEXT = (ROOT / "docs" / "recording.md").read_text()


def test_the_example_can_be_used() -> None:
    """As it stands there, after copying it into a profile."""
    example = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    profile = Profile.model_validate(yaml.safe_load(example[1]))
    assert profile.recording.enabled
    assert profile.tools[0].sensitive


def test_each_promise_has_its_test() -> None:
    """Those that are named are there."""
    sources = "".join(
        path.read_text() for folder in ("recording", "e2e") for path in (ROOT / "tests" / folder).glob("test_*.py")
    )
    promises = re.search(r"## What is promised\n(.*?)\n## ", TEXT, re.DOTALL)
    assert promises is not None
    rows = [line for line in promises[1].splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        for name in named:
            assert f"def {name}(" in sources, name


def test_each_event_is_explained() -> None:
    """By the word that the journal holds."""
    section = TEXT.split("## In the journal\n", 1)[1]
    assert all(f"`{status.value}`" in section for status in Status)
