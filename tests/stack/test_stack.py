"""The stack as a whole: what runs here is what the settings do not name elsewhere, and its failures are one line."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from agent.dev.livekit_server import LiveKitServer
from agent.dev.plan import Plan, child_environment, make_plan, process_specs
from agent.dev.secrets import load_dev_secrets
from agent.dev.stack import Interrupts, run_stack
from agent.settings import Settings, load_settings

FREE = {"PAGE_PORT": "0", "LIVEKIT_PORT": "0", "MODELS_PORT": "0", "WORKER_PORT": "0"}
SERVER = LiveKitServer(Path("/usr/bin/livekit-server"), (1, 13, 5), built=False)


def settings_of(tmp_path: Path, **env: str) -> Settings:
    return load_settings({**FREE, "DATA_DIR": str(tmp_path), **env}, None)


def plan_of(tmp_path: Path, **env: str) -> Plan:
    return make_plan(settings_of(tmp_path, **env), load_dev_secrets(tmp_path))


def names_of(plan: Plan) -> list[str]:
    return [spec.name for spec in process_specs(plan, SERVER if plan.local_livekit else None)]


def test_with_nothing_set_everything_runs_here(tmp_path: Path) -> None:
    """All of it on ports of its own, and the children are told of each."""
    plan = plan_of(tmp_path)
    env = child_environment(plan, {})
    assert names_of(plan) == ["livekit", "models", "chat", "worker"]
    assert env["LIVEKIT_URL"] == f"ws://127.0.0.1:{plan.ports.livekit}"
    assert env["CHAT_API_URL"] == f"ws://127.0.0.1:{plan.ports.page}/ws/v1/"
    assert (env["CHAT_EMBEDDED"], env["MODELS_PORT"]) == ("1", str(plan.ports.models))
    assert load_settings(env, None).livekit_api_secret == plan.secrets.livekit_secret()


def test_a_livekit_named_in_the_settings_is_used(tmp_path: Path) -> None:
    """No server is started here and its keys reach the children as they are."""
    given = {"LIVEKIT_URL": "wss://livekit.example.com", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"}
    plan = plan_of(tmp_path, **given)
    assert names_of(plan) == ["models", "chat", "worker"]
    assert given.items() <= child_environment(plan, given).items()


def test_a_chat_named_in_the_settings_is_used(tmp_path: Path) -> None:
    """The page is still served, the embedded chat is off, and the token is the given one."""
    given = {"CHAT_API_URL": "wss://chat.example.com/ws/v1/", "CHAT_TOKEN": "given"}
    env = child_environment(plan_of(tmp_path, **given), given)
    assert (env["CHAT_API_URL"], env["CHAT_TOKEN"], env["CHAT_EMBEDDED"]) == (*given.values(), "0")


def test_models_named_in_the_settings_are_used(tmp_path: Path) -> None:
    """The local models are not started when no list names them."""
    given = {f"{kind}_MODELS": "openai/some-model" for kind in ("STT", "LLM", "TTS")} | {"OPENAI_API_KEY": "key"}
    assert "models" not in names_of(plan_of(tmp_path, **given))
    assert "models" in names_of(plan_of(tmp_path, **{**given, "LLM_MODELS": "openai/some-model,local/responder"}))


def test_no_secret_stands_among_the_arguments(tmp_path: Path) -> None:
    """Every user of the machine can read those."""
    plan = plan_of(tmp_path)
    secrets = (*plan.secrets.model_dump().values(), child_environment(plan)["CHAT_TOKEN"])
    for spec in process_specs(plan, SERVER):
        assert not any(secret in word for secret in secrets for word in spec.command)


def test_settings_of_another_livekit_server_do_not_reach_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """livekit-server reads REDIS_HOST and the like from the environment; ours is to be reached from here alone."""
    monkeypatch.setenv("REDIS_HOST", "redis.example.com")
    monkeypatch.setenv("LIVEKIT_KEYS", "other: keys")
    env = process_specs(plan_of(tmp_path), SERVER)[0].env
    assert not {"REDIS_HOST", "LIVEKIT_KEYS"} & set(env)
    assert '"bind_addresses": ["127.0.0.1"]' in env["LIVEKIT_CONFIG"]


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"LIVEKIT_URL": "wss://livekit.example.com"}, "without LIVEKIT_API_KEY and LIVEKIT_API_SECRET"),
        ({"LLM_MODELS": "nobody/model"}, "NOBODY_BASE_URL is not set"),
        ({"DATA_DIR": "/dev/null/data"}, "choose DATA_DIR"),
    ],
)
async def test_settings_that_cannot_work_end_the_start_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], env: dict[str, str], said: str
) -> None:
    """Nothing is built or started; the line names what is wrong."""
    assert await run_stack(settings_of(tmp_path, **env)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert said in lines[0]


async def test_a_taken_port_ends_the_start_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said before anything is built."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert await run_stack(settings_of(tmp_path, PAGE_PORT=str(port))) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"port {port} (the page and the chat) is taken" in line


async def test_ctrl_c_during_the_preparation_cancels_it() -> None:
    """A build is not waited for when the person does not want to."""
    cancelled = asyncio.Event()

    async def build() -> str:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return "built"

    with Interrupts() as interrupts:
        async with asyncio.timeout(10):
            assert await interrupts.unless_asked(build()) is None
    assert cancelled.is_set()
