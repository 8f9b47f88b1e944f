"""Metadata that means harm: refused at once, with the key named, and never with anything but a JobError."""

import asyncio
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.job import MAX_METADATA_BYTES, Job, JobError, Profile, ProfileNotFound, read_job

QUICK_S = 0.05


class NoProfiles:
    """Has none."""

    async def load(self, name: str) -> Profile:
        raise ProfileNotFound("there is none")


def read(metadata: str) -> Job:
    return asyncio.run(read_job(metadata, NoProfiles()))


def with_agent(value: str) -> str:
    """Metadata whose agent is this JSON."""
    return f'{{"conversation_id": "c", "agent": {value}}}'


DEEP = 30_000
TEN_MB = "x" * 10_000_000
HOSTILE: dict[str, tuple[str, str]] = {
    "wrong type": (with_agent('{"name": ["a"]}'), "'agent.name'"),
    "a number for text": (with_agent('{"greeting": 1}'), "'agent.greeting'"),
    "true for a number": ('{"conversation_id": "c", "limits": {"max_turns": true}}', "'limits.max_turns'"),
    "deep lists": (with_agent("[" * DEEP), "'agent.0.0"),
    "deep lists, closed": (with_agent("[" * DEEP + "]" * DEEP), "'agent.0.0"),
    "deep objects": (with_agent('{"a":' * (DEEP // 3) + "1" + "}" * (DEEP // 3)), "'agent.a.a"),
    "deep and ignored": ('{"thread_id": 1, "data": ' + "[" * 100 + "]" * 100 + "}", "'data.0.0"),
    "10 MB in a value": (with_agent(f'{{"instructions": "{TEN_MB}"}}'), "'agent.instructions'"),
    "10 MB of keys": ('{"conversation_id": "c", "user": {"id": "1", ' + '"k": 1, ' * 1_000_000 + "}}", "'user.k'"),
    "10 MB that is no JSON": (TEN_MB, "larger than"),
    "10 MB of brackets": ("[" * 10_000_000, "larger than"),
    "many keys": (json.dumps({f"k{n}": n for n in range(4_000)}), "'k0'"),
    "many models": ('{"conversation_id": "c", "models": {"llm": ["a/b"' + ', "a/b"' * 5_000 + "]}}", "'models.llm'"),
    "many variables": (
        json.dumps({"conversation_id": "c", "variables": {f"v{n}": n for n in range(3_000)}}),
        "'variables'",
    ),
    "a template in a name": ('{"conversation_id": "c", "user": {"name": "{{agent.name}}"}}', "'user.name'"),
    "a template in the agent's name": (with_agent('{"name": "{{user.name}}"}'), "'agent.name'"),
    "a template in a variable": ('{"conversation_id": "c", "variables": {"a": "{{b}}"}}', "'variables.a'"),
    "a template in a voice": (with_agent('{"voice": "{{user.name}}"}'), "'agent.voice'"),
    "an unknown name in a template": (with_agent('{"greeting": "Hi {{user.nmae}}"}'), "'agent.greeting'"),
    "logic in a template": (with_agent('{"greeting": "{{ 7*7 }}"}'), "'agent.greeting'"),
    "a secret in a template": (
        '{"conversation_id": "c", "user": {"token": "t"}, "agent": {"greeting": "{{user.token}}"}}',
        "'agent.greeting'",
    ),
    "a template without an end": (with_agent('{"instructions": "{{user.name"}'), "'agent.instructions'"),
    "a template without a value": (with_agent('{"greeting": "Hi {{user.name}}"}'), "'agent.greeting'"),
    "6,000 beginnings of templates": (with_agent('{"instructions": "' + "{{a" * 6_000 + '"}'), "'agent.instructions'"),
    "a negative limit": ('{"conversation_id": "c", "limits": {"max_duration_s": -1}}', "'limits.max_duration_s'"),
    "a negative cost": ('{"conversation_id": "c", "limits": {"max_cost": -0.5}}', "'limits.max_cost'"),
    "a huge whole number": (
        '{"conversation_id": "c", "limits": {"max_turns": ' + "9" * 50_000 + "}}",
        "'limits.max_turns'",
    ),
    "a huge number": ('{"conversation_id": "c", "limits": {"max_cost": 1e999}}', "'limits.max_cost'"),
    "a huge exponent": ('{"conversation_id": "c", "limits": {"max_cost": 1e99999999999}}', "'limits.max_cost'"),
    "NaN": ('{"conversation_id": "c", "limits": {"max_cost": NaN}}', "'limits.max_cost'"),
    "infinity": ('{"conversation_id": "c", "silence": {"prompt_after_s": -Infinity}}', "'silence.prompt_after_s'"),
    "NaN where nobody looks": ('{"thread_id": 1, "data": {"a": NaN}}', "'data.a'"),
    "a huge id": ('{"thread_id": ' + "9" * 5_000 + "}", "'thread_id'"),
    "doubled key": ('{"conversation_id": "c", "conversation_id": "d"}', "'conversation_id' stands twice"),
    "doubled key inside": (with_agent('{"name": "a", "name": "b"}'), "'agent.name' stands twice"),
    "NUL in a value": (with_agent('{"instructions": "a\\u0000b"}'), "'agent.instructions'"),
    "NUL in an id": ('{"conversation_id": "c\\u0000"}', "'conversation_id'"),
    "NUL in a key": ('{"conversation_id": "c", "a\\u0000": 1}', "'a\\x00'"),
    "NUL as it is": ('{"conversation_id": "c", "user": {"name": "a\x00b"}}', "'user.name'"),
    "half a surrogate pair": ('{"conversation_id": "c", "user": {"name": "\\ud800"}}', "'user.name'"),
    "half a surrogate pair, raw": ('{"conversation_id": "c", "user": {"name": "\ud800"}}', "'user.name'"),
    "half a surrogate pair as key": ('{"conversation_id": "c", "\\udfff": 1}', "'\\udfff'"),
    "control characters": ('{"conversation_id": "c", "user": {"name": "a\\u001b[2Jb"}}', "'user.name'"),
    "a header in a token": ('{"conversation_id": "c", "user": {"token": "a\\r\\nX-Admin: 1"}}', "'user.token'"),
    "a path as profile": ('{"conversation_id": "c", "profile": "../../etc/passwd"}', "'profile'"),
    "an address as profile": ('{"conversation_id": "c", "agent": "http://127.0.0.1/x"}', "'agent'"),
    "a profile that is none": ('{"conversation_id": "c", "agent": "nobody"}', "'agent'"),
    "a line end in a profile": ('{"conversation_id": "c", "profile": "a\\n"}', "'profile'"),
    "a profile of another type": ('{"conversation_id": "c", "profile": {"a": 1}}', "'profile'"),
    "a long key": ('{"conversation_id": "c", "' + "k" * 60_000 + '": 1}', "'kkkk"),
    "dunder": ('{"conversation_id": "c", "__class__": {"__init__": 1}}', "'__class__'"),
}


@pytest.mark.parametrize(("metadata", "named"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_metadata_is_refused_with_the_key_named(metadata: str, named: str) -> None:
    """One JobError, whose message names the key, is short, and can be printed anywhere."""
    with pytest.raises(JobError) as refusal:
        read(metadata)
    said = str(refusal.value)
    assert named in said
    assert len(said) < 1_500
    assert said.isprintable()
    said.encode("ascii")


def test_every_refusal_is_quick() -> None:
    """None takes longer than 50 ms, by the time that this process computes."""
    slow = {}
    for name, (metadata, _) in HOSTILE.items():
        taken = []
        for _ in range(3):
            begun = time.process_time()
            with pytest.raises(JobError):
                read(metadata)
            taken.append(time.process_time() - begun)
        if min(taken) > QUICK_S:
            slow[name] = min(taken)
    assert not slow


def test_the_largest_metadata_is_read_quickly() -> None:
    """What is just small enough costs no more."""
    members = {"conversation_id": "c", "agent": {"instructions": "x" * 20_000, "greeting": "é" * 9_000}}
    padding = MAX_METADATA_BYTES - len(json.dumps(members, ensure_ascii=False).encode())
    begun = time.process_time()
    job = read(json.dumps(members, ensure_ascii=False) + " " * padding)
    assert time.process_time() - begun < QUICK_S
    assert len(job.agent.greeting) == 9_000


def json_values() -> st.SearchStrategy[Any]:
    """Any JSON value, with the keys of a job among its keys."""
    keys = st.sampled_from(
        ["conversation_id", "thread_id", "user", "agent", "models", "limits", "variables", "profile", "name", "token"]
    )
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | keys
    return st.recursive(
        leaves, lambda inner: st.lists(inner) | st.dictionaries(keys | st.text(st.characters()), inner), max_leaves=20
    )


def outcome(metadata: str) -> Job | str:
    try:
        return read(metadata)
    except JobError as refusal:
        return str(refusal)


@given(json_values())
def test_any_json_is_a_job_or_a_clean_refusal(value: object) -> None:
    """No JSON value makes the parser raise anything but its own error."""
    assert outcome(json.dumps(value))


@given(json_values(), st.sampled_from(["user", "agent", "models", "turn_taking", "limits", "silence", "variables"]))
def test_any_value_in_any_place_is_taken_or_its_key_is_named(value: object, key: str) -> None:
    """The message of a refusal begins with what is wrong in that place."""
    result = outcome(json.dumps({"conversation_id": "c", key: value}))
    assert isinstance(result, Job) or f"'{key}" in result or f'"{key}' in result  # as `repr` quotes a key


@given(st.text(st.characters(), max_size=300))
def test_any_text_is_a_clean_refusal(text: str) -> None:
    """Whatever stands in the metadata."""
    assert outcome(text)


@given(st.text(alphabet='{}[]":,\\ua01-.eENn \n', max_size=200))
def test_anything_that_looks_like_json_is_a_clean_refusal(text: str) -> None:
    """Pieces of JSON in any order."""
    assert outcome(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=150))
def test_a_value_is_never_a_template(value: str) -> None:
    """What a variable holds is put in as it is, or refused."""
    result = outcome(
        json.dumps(
            {
                "conversation_id": "c",
                "user": {"name": "Ana"},
                "variables": {"v": value},
                "agent": {"greeting": "<{{variables.v}}>"},
            }
        )
    )
    if isinstance(result, Job):
        assert result.agent.greeting == f"<{value}>"
    else:
        assert "{{" in value or "\x00" in value
