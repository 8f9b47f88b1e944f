"""What the worker answers to a job: taken when all of it can be used, else refused with the key in the log."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import JobRequest

from agent.leases import Tenancy
from agent.settings import SettingsError, load_settings
from agent.worker.job_requests import JobRequests
from agent.worker.worker import create_worker


class Request:
    """A request of LiveKit that keeps its answer: the agent's name, "refused" for all, or "another" for another one."""

    def __init__(self, **members: Any) -> None:
        self.id = "AJ_1"
        self.job = SimpleNamespace(metadata=json.dumps({"conversation_id": "c", **members}))
        self.answer = ""

    async def accept(self, *, name: str) -> None:
        self.answer = name

    async def reject(self, *, terminate: bool) -> None:
        self.answer = "refused" if terminate else "another"


async def answer(tmp_path: Path, env: dict[str, str] | None = None, **members: Any) -> str:
    """The worker's answer to a job with these members."""
    (tmp_path / "shop.yaml").write_text("agent:\n  name: Robin\n  voice: marin\n")
    requests = JobRequests(load_settings({"PROFILES": str(tmp_path), **(env or {})}, None))
    request = Request(**members)
    await requests.answer(cast(JobRequest, request))
    assert (requests.job_of("c") is None) == (request.answer == "refused")
    of_call, of_another = (Tenancy("room", call, "c", "agent", "dispatch") for call in ("AJ_1", "AJ_2"))
    assert requests.metadata_of(of_call) == ("" if request.answer == "refused" else request.job.metadata)
    assert requests.metadata_of(of_another) == ""
    return request.answer


async def test_a_job_with_a_profile_is_taken(tmp_path: Path) -> None:
    """The agent joins under the name that the profile gives it."""
    assert await answer(tmp_path, agent="shop", models={"llm": ["local/responder"]}) == "Robin"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"agent": "nobody"}, "key 'agent': there is no such profile"),
        ({"agent": {"voice": "hunter2"}}, "key 'agent.voice': the first text-to-speech model has no such voice"),
        (
            {"models": {"llm": ["local/responder", "hunter2/x"]}},
            "key 'models.llm': entry 2 names a provider that is not",
        ),
    ],
)
async def test_a_job_that_cannot_be_used_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, members: dict[str, Any], said: str
) -> None:
    """Before anybody joins; the log names the key and not the value."""
    assert await answer(tmp_path, **members) == "refused"
    assert said in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("env", "voice", "taken"),
    [
        ({}, "heart", True),
        ({}, "alloy", True),
        ({}, "nobody", False),
        ({"TTS_MODELS": "openai/tts-1", "OPENAI_API_KEY": "k"}, "marin", True),
        ({"TTS_MODELS": "openai/tts-1", "OPENAI_API_KEY": "k"}, "nobody", False),
        ({"TTS_MODELS": "openai/tts-1", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://h/v1"}, "nobody", True),
        ({"TTS_MODELS": "mine/x", "MINE_BASE_URL": "https://h/v1"}, "nobody", True),
    ],
)
async def test_a_voice_must_be_there_where_that_is_known(
    tmp_path: Path, env: dict[str, str], voice: str, taken: bool
) -> None:
    """OpenAI's voices and those of this machine are known; another server's own are not."""
    assert (await answer(tmp_path, env, agent={"voice": voice}) == "Assistant") is taken


async def test_a_call_too_many_is_left_to_another_worker(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Offered while one is being accepted, too; the log says why, and the job is not refused for others."""
    requests = JobRequests(load_settings({"PROFILES": str(tmp_path), "WORKER_MAX_CALLS": "1"}, None))
    request = Request()
    with requests.intake.taking("AJ_0"):
        await requests.answer(cast(JobRequest, request))
        assert request.answer == "another"
    assert "a call is not taken, as WORKER_MAX_CALLS are running" in caplog.text
    await requests.answer(cast(JobRequest, request))
    assert request.answer == "Assistant"


def test_a_worker_whose_models_cannot_be_reached_does_not_start() -> None:
    """The variable that is missing is named at the start and not in the first call."""
    env = {"LIVEKIT_URL": "wss://h", "LIVEKIT_API_KEY": "k", "LIVEKIT_API_SECRET": "s", "LLM_MODELS": "acme/x"}
    settings = load_settings(env, None)
    with pytest.raises(SettingsError, match="ACME_BASE_URL"):
        create_worker(settings, JobRequests(settings))
