"""Profiles: YAML, what a dispatch changes of one, and errors that name file, line and key."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.job import Job, JobError, ProfileError, ProfileNotFound, TurnTaking, read_job
from agent.job.profile_source import FolderProfiles
from agent.job.profile_yaml import MAX_PROFILE_BYTES, parse_profile
from agent.settings import ModelRef

ROOT = Path(__file__).parents[2]
SHOP = """\
description: For tests
agent:
  name: Robin
  greeting: Welcome to {{variables.shop}}.
  key_terms: [one, two]
models:
  llm: [local/responder]
turn_taking:
  longest_wait_s: 3
variables:
  shop: the shop
  open: true
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one profile."""
    (tmp_path / "shop.yaml").write_text(SHOP)
    return tmp_path


def job_with(folder: Path, **members: Any) -> Job:
    metadata = json.dumps({"conversation_id": "c", "agent": "shop", **members})
    return asyncio.run(read_job(metadata, FolderProfiles(folder)))


def test_a_dispatch_can_name_a_profile(folder: Path) -> None:
    """The call has what the profile says, and defaults for the rest."""
    job = job_with(folder)
    assert (job.profile, job.agent.name, job.agent.greeting) == ("shop", "Robin", "Welcome to the shop.")
    assert (job.models.llm, job.models.stt) == ((ModelRef("local", "responder"),), ())
    assert job.turn_taking == TurnTaking(longest_wait_s=3.0)


def test_a_dispatch_is_laid_over_its_profile(folder: Path) -> None:
    """Member by member; lists and values are replaced, null brings the default back."""
    job = job_with(
        folder,
        agent={"greeting": "Hi from {{agent.name}}, {{user.name}}.", "key_terms": ["three"]},
        profile="shop",
        user={"name": "Ana"},
        models={"llm": None, "tts": ["local/hibari"]},
        turn_taking=None,
        variables={"shop": "another shop", "order": 7},
    )
    assert (job.agent.name, job.agent.greeting) == ("Robin", "Hi from Robin, Ana.")
    assert job.agent.key_terms == ("three",)
    assert (job.models.llm, job.models.tts) == ((), (ModelRef("local", "hibari"),))
    assert job.turn_taking == TurnTaking()
    assert job.variables == {"shop": "another shop", "open": "true", "order": "7"}


def test_unpods_agent_handle_names_a_profile_where_there_is_one(folder: Path) -> None:
    """Else it is the agent's name, as it always was."""
    profiles = FolderProfiles(folder)
    found = asyncio.run(read_job('{"thread_id": 1, "agent_handle": "shop"}', profiles))
    assert (found.profile, found.agent.name) == ("shop", "Robin")
    other = asyncio.run(read_job('{"thread_id": 1, "agent_handle": "other"}', profiles))
    assert (other.profile, other.agent.name) == (None, "other")


def test_a_profile_that_is_not_there_refuses_the_job(folder: Path) -> None:
    """The message names the key and tells what there is."""
    with pytest.raises(ProfileNotFound, match=r"key 'agent': there is no such profile in .* \(there are: shop\)"):
        job_with(folder, agent="nobody")


def test_a_profile_with_a_mistake_refuses_the_job(folder: Path) -> None:
    """The message names the key of the dispatch, and the file, the line and the key of the profile."""
    (folder / "shop.yaml").write_text(SHOP.replace("  name: Robin", "  nmae: Robin"))
    with pytest.raises(ProfileError) as refusal:
        job_with(folder)
    assert "key 'agent': " in str(refusal.value)
    assert "shop.yaml, line 3: unknown key 'agent.nmae' (did you mean 'name'?)" in str(refusal.value)


def test_a_template_of_a_profile_needs_what_the_dispatch_gives(folder: Path) -> None:
    """A value that nobody gives refuses the job."""
    (folder / "shop.yaml").write_text("agent:\n  greeting: Your order {{variables.order}} is here.\n")
    with pytest.raises(JobError, match=r"key 'agent.greeting': {{variables.order}} has no value"):
        job_with(folder)
    assert job_with(folder, variables={"order": "A-7"}).agent.greeting == "Your order A-7 is here."


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml")))
def test_the_profiles_that_come_along_are_well(name: str) -> None:
    """Each makes a job of a signed-in user's dispatch."""
    metadata = json.dumps({"conversation_id": "c", "agent": name, "user": {"id": "7", "name": "Ana"}})
    job = asyncio.run(read_job(metadata, FolderProfiles(ROOT / "profiles")))
    assert job.agent.name != "Assistant"
    assert "{{" not in job.agent.instructions + job.agent.greeting


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "p.yaml must be a mapping"),
        ("# nothing yet\n", "p.yaml must be a mapping"),
        ("- a\n", "p.yaml must be a mapping"),
        ("<!DOCTYPE html><p>Hi", "p.yaml must be a mapping"),
        ("agent:\n  name: a\n  name: b\n", "line 3: key 'agent.name' stands twice"),
        ("agent:\n\tname: a\n", "line 2: not YAML"),
        ("agent: {name: a\n", "not YAML"),
        ("a: b\n---\na: c\n", "line 2: a second document begins"),
        ("agent: &a {name: x}\nlimits: *a\n", "line 1: anchors and aliases are not supported"),
        ("agent: !!python/object/apply:os.system [ls]\n", "line 1: tags are not supported"),
        ("? [a]\n: b\n", "line 1: a key must be text"),
        ("1: b\n", "line 1: a key must be text"),
        ("a: " + "[" * 100, "is nested deeper than"),
        ('agent:\n  name: "\\ud800"\n', "line 2: key 'agent.name' holds half a surrogate pair"),
        ('agent:\n  name: "a\\0"\n', "line 2: key 'agent.name'"),
        ("agent:\n  name: \x07\n", "is not YAML (character 16 is not allowed"),
        ("agent:\n  greeting: Hi {{user.nmae}}\n", "line 2: key 'agent.greeting': there is no {{user.nmae}}"),
        ("\n\nlimits:\n  max_turns: -1\n", "line 4: key 'limits.max_turns'"),
        ("limits:\n  max_cost: .nan\n", "line 2: key 'limits.max_cost': must be a number"),
        (
            "models:\n  llm:\n    - local/responder\n    - gpt\n",
            "line 2: key 'models.llm': entry 2 is not provider",
        ),
        ("agent:\n  key_terms:\n    - a\n    - 7\n", "line 4: key 'agent.key_terms.1': must be text"),
        ("turn_taking:\n  interruptions: no\n", "line 2: key 'turn_taking.interruptions': must be true or false"),
        ("user:\n  name: Ana\n", "line 1: unknown key 'user'"),
        ("conversation_id: c\n", "line 1: unknown key 'conversation_id'"),
        ("a: " + "x" * MAX_PROFILE_BYTES, "is larger than"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(text: str, said: str) -> None:
    """Whoever wrote the profile finds it at once."""
    with pytest.raises(ProfileError) as refusal:
        parse_profile(text, "p.yaml")
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("p.yaml")


def test_plain_words_mean_what_they_look_like() -> None:
    """No is a language, 010 is no eight, a date is text, and an empty value is none."""
    profile = parse_profile(
        "agent:\n  language: no\n  name: 2026-01-01\nlimits:\nbrain:\nvariables:\n  a: 010\n  b: 1.50\n  c: yes\n", "p"
    )
    assert (profile.agent.language, profile.agent.name, profile.brain) == ("no", "2026-01-01", None)
    assert profile.variables == {"a": "010", "b": "1.5", "c": "yes"}


def test_json_is_a_profile_too() -> None:
    """A server may answer with what it has."""
    assert parse_profile('{"agent": {"name": "Robin"}, "limits": {"max_turns": 3}}', "p").limits.max_turns == 3


@given(st.text(alphabet="abg: -\n\t{}[]&*!|>'\"#%@`,?~0.", max_size=120) | st.text(max_size=200))
def test_any_text_is_a_profile_or_a_clean_refusal(text: str) -> None:
    """Nothing but a ProfileError comes out, and it begins with the place."""
    try:
        outcome = repr(parse_profile(text, "p.yaml"))
    except ProfileError as refusal:
        outcome = str(refusal)
    assert outcome.startswith(("p.yaml", "Profile("))
