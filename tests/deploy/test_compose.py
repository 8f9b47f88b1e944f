"""The trial of deploy/compose.yaml fits the services that it starts."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from rich.console import Console

from agent.aftercare import afterwards
from agent.dev.livekit_server import VERSION, find_livekit_server, local_config, server_environment
from agent.dev.secrets import load_dev_secrets
from agent.dev.steps import Steps
from agent.dev.trial_env import trial_env
from agent.settings import load_settings
from agent.worker import drain, worker
from tests.container.dockerfile import parse_dockerfile
from tests.deploy.files import FOREIGN, ROOT, documents, is_setting, texts
from tests.support.worker import free_port

PYTHON_SERVICES = ("chat", "models", "worker")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    (compose,) = documents("compose.yaml")
    return dict(compose["services"])


def settings_of(service: dict[str, Any], data_dir: Path) -> dict[str, str]:
    """The variables of a service: those of trial.env and its own."""
    given = trial_env(load_dev_secrets(data_dir)) if "env_file" in service else {}
    return {**given, **service["environment"]}


def test_the_variables_are_settings_that_lead_to_the_other_services(services: dict[str, Any], tmp_path: Path) -> None:
    """Each name is one that its reader knows, each value one that it takes, each port one that somebody listens on."""
    for name in PYTHON_SERVICES:
        variables = settings_of(services[name], tmp_path)
        assert [v for v in variables if v not in FOREIGN and not is_setting(v)] == []
        load_settings(variables, None)
    made = load_settings(settings_of(services["worker"], tmp_path), None)
    chat = load_settings(settings_of(services["chat"], tmp_path), None)
    livekit = yaml.safe_load(services["livekit"]["environment"]["LIVEKIT_CONFIG"])
    assert made.livekit_url == chat.livekit_url == f"ws://127.0.0.1:{livekit['port']}"
    assert made.chat_api_url == f"ws://127.0.0.1:{chat.page_port}/ws/v1/"
    ports = {name: load_settings(settings_of(services[name], tmp_path), None).models_port for name in PYTHON_SERVICES}
    assert len(set(ports.values())) == 1
    assert livekit["redis"]["address"] == "127.0.0.1:6379"


def test_the_health_checks_ask_where_somebody_answers(services: dict[str, Any], tmp_path: Path) -> None:
    """A wrong port would keep everything that depends on it from starting."""
    asked = {name: services[name]["healthcheck"]["test"][-2:] for name in ("chat", "models")}
    of = {name: load_settings(settings_of(services[name], tmp_path), None) for name in asked}
    assert asked == {
        "chat": [str(of["chat"].page_port), "/healthz"],
        "models": [str(of["models"].models_port), "/healthz"],
    }


def test_all_listen_on_this_machine_alone_and_are_confined(services: dict[str, Any]) -> None:
    """A trial is no door into the network; nothing in it has more rights than it needs."""
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert "ports" not in service
    assert services["worker"]["environment"]["WORKER_HOST"] == "127.0.0.1"
    command = services["redis"]["command"]
    assert command[command.index("--bind") + 1] == "127.0.0.1"


def test_no_secret_is_in_the_file(services: dict[str, Any]) -> None:
    """Keys come from trial.env, which git does not keep."""
    names = {name for service in services.values() for name in service.get("environment", {})}
    assert [name for name in names if name.endswith(("_KEY", "_KEYS", "_SECRET", "_TOKEN"))] == []
    ignored = subprocess.run(["git", "check-ignore", "-q", "deploy/trial.env"], cwd=ROOT, check=False)
    assert ignored.returncode == 0


def test_the_worker_is_given_the_time_to_drain(services: dict[str, Any]) -> None:
    """Calls, their last words, deliveries and notices: nothing of it is cut off by a SIGKILL."""
    after = worker.JOB_SHUTDOWN_TIMEOUT_S + drain.LAST_DELIVERY_S + 2 * afterwards.FINISH_S
    grace = float(services["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > float(services["worker"]["environment"]["DRAIN_SECONDS"]) + after


def test_the_images_are_stages_of_the_dockerfile(services: dict[str, Any]) -> None:
    """And LiveKit is of the version that the tests run with."""
    stages = parse_dockerfile((ROOT / "Dockerfile").read_text())
    assert {services[name]["build"]["target"] for name in PYTHON_SERVICES} == {"trial", "worker"} <= stages.keys()
    assert services["livekit"]["image"] == f"livekit/livekit-server:v{VERSION.removeprefix('v')}"
    assert all(":" in service["image"] or "build" in service for service in services.values())
    assert "latest" not in " ".join(texts(services))


async def test_livekit_server_takes_its_configuration(services: dict[str, Any], tmp_path: Path) -> None:
    """The real server starts with it, but for the ports and for Redis, and with the keys of trial.env."""
    config = yaml.safe_load(services["livekit"]["environment"]["LIVEKIT_CONFIG"])
    ours = yaml.safe_load(
        local_config(port=7880, udp_port=7882, api_key="key", api_secret="secret")["LIVEKIT_CONFIG"]  # JSON is YAML
    )
    differs = {"redis", "logging", "keys"}
    assert {k: v for k, v in config.items() if k not in differs} == {k: v for k, v in ours.items() if k not in differs}
    port = free_port()
    del config["redis"]
    config["port"], config["rtc"]["udp_port"] = port, 0
    keys = trial_env(load_dev_secrets(tmp_path))
    server = await find_livekit_server(Steps(Console(stderr=True)))
    env = {**server_environment({"LIVEKIT_CONFIG": yaml.safe_dump(config)}), **keys}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([server.program], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while True:
                assert process.poll() is None, (tmp_path / "log").read_text()
                try:
                    async with http.get(f"http://127.0.0.1:{port}/") as response:
                        assert response.status == 200
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.1)
    finally:
        process.kill()
        process.wait()


def test_the_keys_of_a_trial_are_made_once(tmp_path: Path) -> None:
    """As the head of the file says; a second time prints the same keys."""
    command = [sys.executable, "-m", "agent.dev.trial_env"]
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}
    outputs = [
        subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout for _ in range(2)
    ]
    lines = [dict(line.split("=", 1) for line in output.splitlines()) for output in outputs]
    assert lines[0].keys() == {"LIVEKIT_KEYS", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "CHAT_TOKEN"}
    assert lines[0]["LIVEKIT_API_SECRET"] == lines[1]["LIVEKIT_API_SECRET"]
    assert lines[0]["LIVEKIT_KEYS"] == f"{lines[0]['LIVEKIT_API_KEY']}: {lines[0]['LIVEKIT_API_SECRET']}"
