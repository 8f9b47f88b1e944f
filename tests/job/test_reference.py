"""What is written down about the configuration is what the code does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from agent import reference
from agent.cli import app
from agent.job import MAX_METADATA_BYTES, Job, Profile
from agent.job.metadata import MAX_DEPTH
from agent.job.profile_source import FETCH_TIMEOUT_S, FRESH_S
from agent.job.profile_yaml import MAX_PROFILE_BYTES, parse_profile
from agent.job.reading import make_job, read_dispatch
from agent.job.schema import json_schema

PAGE = (reference.ROOT / reference.PAGE).read_text()


@pytest.mark.parametrize("path", reference.generated())
def test_what_is_made_from_the_code_is_up_to_date(path: Path) -> None:
    """Run `python -m agent schema --write` when this fails."""
    assert path.read_text() == reference.generated()[path]


def test_stale_files_are_written_and_named(tmp_path: Path) -> None:
    """Only those that are stale."""
    for name in (reference.PAGE, reference.ENV_EXAMPLE):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((reference.ROOT / name).read_text())
    assert {path.name for path in reference.write(tmp_path)} == {"job.schema.json", "profile.schema.json"}
    page = tmp_path / reference.PAGE
    page.write_text(page.read_text().replace("| `limits.max_turns` |", "| `limits.turns` |"))
    assert reference.write(tmp_path) == [page]
    assert page.read_text() == PAGE


def test_a_page_without_a_place_for_a_table_is_an_error(tmp_path: Path) -> None:
    """A table never gets lost."""
    (tmp_path / "docs").mkdir()
    (tmp_path / reference.PAGE).write_text(PAGE.replace("<!-- both: ", "<!-- neither "))
    (tmp_path / reference.ENV_EXAMPLE).write_text("")
    with pytest.raises(ValueError, match="no place for: both"):
        reference.write(tmp_path)


def leaves(schema: dict[str, Any], model: Any) -> set[str]:
    """The dotted keys of a schema."""
    found = set()
    for name, value in schema["properties"].items():
        ref = next((v["$ref"] for v in value.get("anyOf", [value]) if "$ref" in v), "")
        inner = schema["$defs"].get(ref.rpartition("/")[2], {}).get("properties", {})
        found |= {f"{name}.{member}" for member in inner} | {name}
    return found


@pytest.mark.parametrize(("kind", "model"), [("job", Job), ("profile", Profile)])
def test_every_key_is_explained(kind: Any, model: Any) -> None:
    """In the schema, and as a row of the page."""
    schema = json_schema(kind)
    assert set(schema["properties"]) == set(model.model_fields)
    text = json.dumps(schema)
    assert "null" not in re.sub(r'"description": "[^"]*"', "", text)
    assert [key for key in leaves(schema, model) if f"| `{key}` |" not in PAGE] == []


def test_the_examples_of_the_page_are_true() -> None:
    """Each job and the profile of the page can be used."""
    profile = parse_profile(next(iter(blocks("yaml"))), "docs")
    jobs = [line for block in blocks("json") for line in (block.splitlines() if "\n{" in block else [block])]
    assert len(jobs) == 5
    for text in jobs:
        dispatch = read_dispatch(text.replace("…", "token"))
        job = make_job(dispatch, profile if dispatch.profile else None)
        assert "{{" not in job.agent.greeting
    said = "line 6: unknown key 'agent.langauge' (did you mean 'language'?)"
    assert said in PAGE


def blocks(language: str) -> list[str]:
    """The code of the page in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_numbers_of_the_page_are_true() -> None:
    """Limits that the prose names."""
    assert (MAX_METADATA_BYTES, MAX_PROFILE_BYTES) == (64 * 1024, 64 * 1024)
    assert f"nested at most {MAX_DEPTH} levels" in PAGE
    assert f"within {FETCH_TIMEOUT_S:g} seconds" in PAGE
    assert FRESH_S == 60


def test_the_profiles_that_come_along_say_only_what_the_schema_knows() -> None:
    """An editor that knows the schema finds nothing wrong in them."""
    known = leaves(json_schema("profile"), Profile)
    for path in (reference.ROOT / "profiles").glob("*.yaml"):
        said = yaml.safe_load(path.read_text())
        keys = {f"{k}.{m}" for k, v in said.items() if isinstance(v, dict) and k != "variables" for m in v} | set(said)
        assert keys <= known


def test_the_command_prints_a_schema() -> None:
    """For an editor's or a validator's use."""
    assert json.loads(CliRunner().invoke(app, ["schema", "profile"]).stdout)["title"] == "Agent profile"
    wrong = CliRunner().invoke(app, ["schema", "colour"])
    assert wrong.exit_code == 1
    assert "job, profile" in wrong.output
