"""What of a dispatch is written to the disk, so that a call can go on with its job when LiveKit has forgotten it."""

import json
from typing import Any

import pytest

from agent.job import parse_job
from agent.job.durable import durable

OURS = {
    "conversation_id": "c",
    "user": {"id": "7", "name": "Änne", "token": "eyJ.x.y"},
    "agent": {"name": "Robin", "greeting": "Hi {{user.name}}."},
    "limits": {"max_turns": 50},
}
UNPODS = {
    "thread_id": 7,
    "user": {"id": 7, "full_name": "Änne", "user_token": "eyJ.x.y"},
    "space_token": "eyJ.space",
    "agent_handle": "robin",
}


@pytest.mark.parametrize("members", [OURS, UNPODS])
def test_all_but_the_users_token_is_kept(members: dict[str, Any]) -> None:
    """It is the same job, without any token."""
    metadata = json.dumps(members)
    kept = durable(metadata)
    assert "eyJ" not in kept
    job = parse_job(metadata)
    assert job.user.token is not None
    assert parse_job(kept) == job.model_copy(update={"user": job.user.model_copy(update={"token": None})})
    assert durable(kept) == kept


def test_a_dispatch_that_names_a_profile_keeps_naming_it() -> None:
    """Both spellings of a profile, and a dispatch without a user."""
    for members in ({"conversation_id": "c", "agent": "reception"}, {"conversation_id": "c", "profile": "reception"}):
        assert json.loads(durable(json.dumps(members))) == members
