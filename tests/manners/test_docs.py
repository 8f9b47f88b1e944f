"""docs/manners.md holds: each promise has its test or its scene."""

import re

from tests.scenes.script import scene_files
from tests.support.stack import ROOT

TEXT = (ROOT / "docs" / "manners.md").read_text()
NO_SCENES = {"lk", "brain", "modality", "update_options", "keyterms", "keyterm", "speed", "max_turns", "max_cost"}


def test_each_promise_has_its_test() -> None:
    """By its name, whatever file it is in."""
    written = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    assert len(named) > 20
    assert {name for name in named if f"def {name}(" not in written} == set()


def test_each_scene_that_is_named_exists() -> None:
    """And all scenes of manners are named."""
    scenes = {file.stem for file in scene_files()}
    named = {word for word in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", TEXT) if not word.startswith("test_")}
    assert named - NO_SCENES <= scenes
    own = {name for name in scenes if name.startswith(("silence_", "limit_", "say_again", "hang_up"))}
    assert own <= named | NO_SCENES
