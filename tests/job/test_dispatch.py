"""Job metadata: what is taken, what becomes of it, and what is refused with the key named."""

import json
from typing import Any

import pytest

from agent.job import DEFAULT_GREETING, Job, JobError, TurnTaking, parse_job
from agent.settings import ModelRef


def job_of(**members: Any) -> Job:
    return parse_job(json.dumps({"conversation_id": "c", **members}))


def refusal_of(metadata: str) -> str:
    with pytest.raises(JobError) as refusal:
        parse_job(metadata)
    return str(refusal.value)


def test_a_conversation_is_enough() -> None:
    """Everything else has a default."""
    job = parse_job('{"conversation_id": "c-1"}')
    assert (job.conversation_id, job.agent.name, job.agent.greeting) == ("c-1", "Assistant", DEFAULT_GREETING)
    assert (job.brain, job.modality, job.turn_taking) == (None, "text_audio", TurnTaking())


def test_every_key_is_taken() -> None:
    """A dispatch that says all that can be said becomes a job that has all of it."""
    job = job_of(
        user={"id": "7", "name": "Ana", "token": "eyJ.x.y"},
        agent={
            "name": "Robin",
            "instructions": "Be brief.",
            "greeting": "Hi.",
            "language": "pt-BR",
            "voice": "marin",
            "key_terms": ["Robin", "Lisboa"],
        },
        brain="chat",
        modality="text",
        models={"stt": ["local/moonshine-tiny-en"], "llm": ["groq/a/b", "local/responder"], "tts": ["openai/tts-1"]},
        turn_taking={"shortest_wait_s": 0.4, "longest_wait_s": 3, "interruptions": False},
        limits={"max_duration_s": 600, "max_turns": 50, "max_cost": 0.5},
        silence={"prompt_after_s": 10, "prompts": 1},
        variables={"order": "A-7", "count": 3, "paid": True},
    )
    assert job.user.token is not None
    assert job.agent.key_terms == ("Robin", "Lisboa")
    assert job.models.llm == (ModelRef("groq", "a/b"), ModelRef("local", "responder"))
    assert (job.turn_taking.longest_wait_s, job.turn_taking.interruptions) == (3.0, False)
    assert (job.limits.max_turns, job.silence.prompts) == (50, 1)
    assert job.variables == {"order": "A-7", "count": "3", "paid": "true"}


def test_null_means_not_said() -> None:
    """Programs write what they do not know as null."""
    assert job_of(user=None, brain=None, agent={"voice": None, "greeting": "Hi."}) == job_of(agent={"greeting": "Hi."})


def test_a_users_token_never_shows() -> None:
    """Neither in the job's representation nor in its JSON."""
    job = job_of(user={"token": "hunter2"})
    assert "hunter2" not in repr(job) + job.model_dump_json()


def test_unpod_keys_are_taken_as_they_are() -> None:
    """A dispatch with Unpod's keys is mapped; those of its other services do nothing."""
    job = parse_job(
        json.dumps(
            {
                "thread_id": 42,
                "user": {"id": 7, "user_token": "s3cret", "full_name": "Ana"},
                "multimodality": "text",
                "space_token": "x",
                "agent_handle": "Front Desk",
                "post_slug": "p",
                "contact_name": "somebody",
                "contact_number": "+1",
                "call_type": "web",
                "data": {"a": [1]},
                "model_config": {"b": 2},
            }
        )
    )
    assert (job.conversation_id, job.user.id, job.user.name, job.agent.name) == ("42", "7", "Ana", "Front Desk")
    assert job.modality == "text"
    assert job.user.token is not None
    assert job.user.token.get_secret_value() == "s3cret"


def test_unpods_contact_is_the_user_without_a_name() -> None:
    """A telephone call has no account."""
    assert parse_job('{"thread_id": "t", "contact_name": "Ana"}').user.name == "Ana"


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("[1]", "must be a JSON object"),
        ("{}", "missing key 'conversation_id'"),
        ('{"conversation_id": "c", "agent": {"name": "x}', "not JSON (at character 44, in key 'agent.name')"),
        ('{"conversation_id": "c", "colour": "red"}', "unknown key 'colour'"),
        (
            '{"conversation_id": "c", "agent": {"langauge": "en"}}',
            "unknown key 'agent.langauge' (did you mean 'language'",
        ),
        ('{"conversation_id": 7}', "'conversation_id': must be text"),
        ('{"conversation_id": "a b"}', "'conversation_id': must be 1 to 128 letters"),
        ('{"conversation_id": "c\\n"}', "'conversation_id'"),
        ('{"conversation_id": "c", "brain": "magic"}', "'brain': must be 'llm' or 'chat'"),
        ('{"conversation_id": "c", "user": "ana"}', "'user': must be an object"),
        ('{"conversation_id": "c", "user": {"token": "a b"}}', "'user.token'"),
        ('{"conversation_id": "c", "agent": {"language": "English"}}', "'agent.language'"),
        ('{"conversation_id": "c", "agent": {"key_terms": "a, b"}}', "'agent.key_terms': must be a list"),
        ('{"conversation_id": "c", "models": {"llm": ["gpt-4"]}}', "'models.llm': entry 1 is not provider/model"),
        ('{"conversation_id": "c", "models": {"llm": []}}', "'models.llm'"),
        ('{"conversation_id": "c", "models": {"llm": "local/responder"}}', "'models.llm': must be a list"),
        (
            '{"conversation_id": "c", "turn_taking": {"shortest_wait_s": 2, "longest_wait_s": 1}}',
            "'turn_taking': shortest_wait_s must not be more than longest_wait_s",
        ),
        ('{"conversation_id": "c", "variables": {"Order": "x"}}', "'variables.Order': a variable's name"),
        ('{"conversation_id": "c", "variables": {"a": [1]}}', "'variables.a': must be text"),
        ('{"conversation_id": "c", "agent": "../secrets"}', "'agent': must name a profile"),
        ('{"conversation_id": "c", "agent": "a", "profile": "b"}', "say it once"),
        ('{"conversation_id": "c", "agent": "reception"}', "'agent': there are no profiles here"),
        ('{"thread_id": "t", "colour": 1}', "unknown key 'colour'"),
        ('{"thread_id": true}', "'thread_id'"),
        ('{"thread_id": "t", "user": {"full_name": 7}}', "'user.full_name'"),
    ],
)
def test_a_wrong_key_is_named(metadata: str, said: str) -> None:
    """The message says which key is wrong and what it must be."""
    assert said in refusal_of(metadata)


def test_many_mistakes_are_counted() -> None:
    """A message stays short, however much is wrong."""
    text = refusal_of(json.dumps({"conversation_id": "c", **{f"key{n}": n for n in range(500)}}))
    assert "and 495 more" in text
    assert len(text) < 2_000


@pytest.mark.parametrize(
    "members",
    [
        {"user": {"token": {"a": "hunter2"}}},
        {"user": {"token": "hunter 2"}},
        {"user": {"id": "hunter2\n"}},
        {"modality": "hunter2"},
        {"agent": {"language": "hunter2"}},
        {"agent": "Hunter2"},
        {"models": {"llm": ["hunter2"]}},
        {"limits": {"max_turns": "hunter2"}},
        {"variables": {"a": "{{hunter2 }}"}},
        {"thread_id": "hunter2!"},
    ],
)
def test_a_refusal_never_quotes_a_value(members: dict[str, Any]) -> None:
    """A secret in a wrong place does not come back in the message."""
    assert "hunter2" not in refusal_of(json.dumps({"conversation_id": "c", **members})).lower()
