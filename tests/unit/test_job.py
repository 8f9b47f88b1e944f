"""Job metadata: what is taken, and what is refused with the key named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.job import MAX_METADATA_BYTES, JobError, parse_job


def test_our_keys_are_taken() -> None:
    """A dispatch with our keys becomes a job with defaults for the rest."""
    job = parse_job('{"conversation_id": "c-1", "user": {"id": "7", "name": "Ana"}, "agent": {"greeting": "Hi."}}')
    assert (job.conversation_id, job.user.name, job.agent.greeting, job.agent.name) == (
        "c-1",
        "Ana",
        "Hi.",
        "Assistant",
    )


def test_unpod_keys_are_taken_as_they_are() -> None:
    """A dispatch with Unpod's keys is mapped; the user's token stays secret."""
    job = parse_job(
        json.dumps(
            {
                "thread_id": 42,
                "user": {"id": 7, "user_token": "s3cret", "full_name": "Ana"},
                "multimodality": "text_audio",
                "space_token": "x",
                "agent_handle": "reception",
                "post_slug": "p",
                "call_type": "web",
                "data": {"a": [1]},
                "model_config": {"b": 2},
            }
        )
    )
    assert (job.conversation_id, job.user.id, job.user.name, job.agent.name) == ("42", "7", "Ana", "reception")
    assert job.user.token is not None
    assert "s3cret" not in repr(job)


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("[1]", "JSON object"),
        ("{}", "'conversation_id'"),
        ('{"conversation_id": "c", "colour": "red"}', "'colour'"),
        ('{"conversation_id": "c", "agent": {"colour": "red"}}', "'agent.colour'"),
        ('{"conversation_id": 7}', "'conversation_id'"),
        ('{"conversation_id": "a b"}', "'conversation_id'"),
        ('{"conversation_id": "c", "conversation_id": "d"}', "'conversation_id' stands twice"),
        ('{"conversation_id": "c", "user": {"name": "a\\u0000b"}}', "'user.name'"),
        ('{"conversation_id": "c", "brain": "magic"}', "'brain'"),
        ('{"conversation_id": "c", "user": "ana"}', "'user'"),
        ('{"thread_id": "t", "colour": 1}', "'colour'"),
        ("[" * 60_000, "not JSON"),
        ('{"conversation_id": "c", "agent": {"greeting": "' + "x" * MAX_METADATA_BYTES + '"}}', "larger than"),
    ],
)
def test_bad_metadata_is_refused_with_the_key_named(metadata: str, named: str) -> None:
    """Each kind of bad metadata is refused by one error that says which key is wrong."""
    with pytest.raises(JobError) as refusal:
        parse_job(metadata)
    assert named in str(refusal.value)


def test_a_refusal_never_quotes_a_value() -> None:
    """A secret in a wrong place does not come back in the message."""
    with pytest.raises(JobError) as refusal:
        parse_job('{"conversation_id": "c", "user": {"token": {"a": "hunter2"}}, "modality": "hunter2"}')
    assert "hunter2" not in str(refusal.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_a_job_or_a_clean_refusal(value: object) -> None:
    """No JSON value makes the parser raise anything but its own error."""
    text = json.dumps(value)
    try:
        outcome = parse_job(text).conversation_id
    except JobError as refusal:
        outcome = str(refusal)
    assert outcome
