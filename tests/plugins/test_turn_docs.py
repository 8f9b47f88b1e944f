"""docs/turn-taking.md promises nothing without a test or a scene, and its numbers are those of the policy."""

import re
from pathlib import Path

from plugins import turn_policy
from tests.scenes.script import scene_files

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "turn-taking.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_exists() -> None:
    """A test that is renamed or removed takes its promise along."""
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert not named - set(re.findall(r"^(?:async )?def (test_\w+)", sources, re.MULTILINE))
    assert len(named) >= 20


def test_every_scene_that_the_page_names_exists() -> None:
    """So does a scene."""
    kinds = "back_channel|barge_in|cough|door|pause|two_people|hums|very_long"
    named = set(re.findall(rf"`((?:{kinds})_\w+)`", PAGE))
    assert not named - {file.stem for file in scene_files()}
    assert len(named) >= 10


def test_the_page_has_the_numbers_of_the_policy() -> None:
    """Whoever fits them anew writes them there, too."""
    weights = re.findall(r"^\| .* \| (?:× )?([+−]?\d\.\d\d) \|$", PAGE, re.MULTILINE)
    assert [float(weight.replace("−", "-")) for weight in weights] == [
        turn_policy.READ_BIAS,
        turn_policy.READ_VOICE,
        turn_policy.READ_FINAL_MARK,
        turn_policy.READ_COMMA,
        turn_policy.UNFINISHED,
        turn_policy.BIAS,
        turn_policy.VOICE,
        turn_policy.FINAL_MARK,
        turn_policy.COMMA,
        turn_policy.OPEN_WORD,
        turn_policy.OFTEN_OPEN_WORD,
        turn_policy.HESITATION,
        turn_policy.FEW_WORDS,
    ]
    bounds = f"at least {turn_policy.SHORTEST_S} s and at most {turn_policy.LONGEST_S} s"
    for grade in (turn_policy.READ_GRADE, turn_policy.GRADE):
        assert f"**{grade.level_s} s − {grade.slope_s} s × score, {bounds}**" in PAGE
