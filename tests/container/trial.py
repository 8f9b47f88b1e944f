"""The trial of deploy/compose.yaml without a container engine: its images, commands, variables and health checks.

Only the ports differ, and Redis is left out: LiveKit of one node works without it.
"""

import asyncio
import shutil
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from rich.console import Console

from agent.dev.livekit_server import find_livekit_server, server_environment
from agent.dev.steps import Steps
from tests.container.clean_root import Builder, Image
from tests.container.findings import megabytes
from tests.container.outcome import READY_TIMEOUT_S, must, until_ready
from tests.container.running_image import STOP_TIMEOUT_S, RunningImage, running
from tests.support.caller import call
from tests.support.stack import ROOT
from tests.support.worker import free_port

PAGE = ROOT / "agent" / "dev" / "page" / "dist"


@dataclass(frozen=True)
class Ports:
    """In place of those of the file, which may be in use here."""

    livekit: int
    page: int
    models: int
    worker: int

    @classmethod
    def free(cls) -> "Ports":
        """Some that nobody listens on."""
        return cls(*(free_port() for _ in range(4)))

    def instead(self, value: str) -> str:
        """A value of the file with these ports."""
        for ours, theirs in (("7880", self.livekit), ("8080", self.page), ("8090", self.models), ("8081", self.worker)):
            value = value.replace(ours, str(theirs))
        return value


def given_page(work: Path) -> Image:
    """The stage that builds the page, which is built already: Node's image cannot be had without an engine."""
    root = work / "given-page"
    shutil.copytree(PAGE, root / "page" / "dist")
    return Image(root)


async def run_trial(builder: Builder, work: Path) -> None:
    """Start all of it as the head of the file says, open the page and call."""
    services: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    images = {name: builder.image(services[name]["build"]["target"]) for name in ("chat", "models", "worker")}
    sys.stdout.write(f"   the trial's image: {megabytes(images['chat'].root):.0f} MB\n")
    keys = await made_keys(images["chat"], work)
    ports = Ports.free()

    def part(name: str) -> tuple[Image, dict[str, str]]:
        service = services[name]
        command = service.get("command", images[name].command)
        given = keys if "env_file" in service else {}
        env = {k: ports.instead(v) for k, v in service["environment"].items()}
        return replace(images[name], command=command), {**given, **env}

    async with AsyncExitStack() as exits:
        await exits.enter_async_context(livekit_server(services["livekit"], keys, ports, work))
        started: dict[str, RunningImage] = {}
        for name in ("chat", "models"):
            image, env = part(name)
            log = work / f"{name}.log"
            started[name] = await exits.enter_async_context(running(image, work / f"{name}-data", env, log))
            check = [ports.instead(word) for word in services[name]["healthcheck"]["test"][1:]]
            await until_healthy(started[name], check)
            must(True, f"the health check of {name} passes")
        image, env = part("worker")
        worker = await exits.enter_async_context(running(image, work / "worker-data", env, work / "worker.log"))
        started["worker"] = worker
        try:
            await until_ready(worker, ports.worker)
            await use_it(ports)
        except BaseException:
            sys.stderr.writelines(part.log()[-3000:] for part in started.values())
            raise
        for name in ("worker", "chat", "models"):
            must(await started[name].stop() == 0, f"SIGTERM ends {name} with status 0")


async def made_keys(image: Image, work: Path) -> dict[str, str]:
    """What `trial.env` would hold, made inside the image in the data folder of the chat."""
    once = replace(image, entrypoint=["python"], command=["-m", "agent.dev.trial_env"])
    async with running(once, work / "chat-data", {}, work / "trial.env") as container:
        status = await asyncio.to_thread(container.process.wait, STOP_TIMEOUT_S)
        must(status == 0, "the keys of the installation are made")
        return dict(line.split("=", 1) for line in container.log().splitlines())


@asynccontextmanager
async def livekit_server(
    service: Mapping[str, Any], keys: Mapping[str, str], ports: Ports, work: Path
) -> AsyncIterator[None]:
    """LiveKit with the configuration of the file."""
    config = yaml.safe_load(ports.instead(service["environment"]["LIVEKIT_CONFIG"]))
    del config["redis"]
    config["rtc"]["udp_port"] = free_port()
    server = await find_livekit_server(Steps(Console(stderr=True)))
    env = {**server_environment({"LIVEKIT_CONFIG": yaml.safe_dump(config)}), **keys}
    with (work / "livekit.log").open("wb") as log:
        process = subprocess.Popen([server.program], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)


async def until_healthy(container: RunningImage, check: list[str]) -> None:
    """Wait until a health check of the file passes inside the container."""
    async with asyncio.timeout(READY_TIMEOUT_S):
        while True:
            done = await asyncio.to_thread(container.inside, *check)
            if done.returncode == 0:
                return
            assert container.process.poll() is None, container.log()
            await asyncio.sleep(0.2)


async def use_it(ports: Ports) -> None:
    """What a person would do: open the page, and call."""
    base = f"http://127.0.0.1:{ports.page}"
    who = {"session_user": "tester"}
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    async with aiohttp.ClientSession() as http:
        async with http.get(base) as response:
            must(response.status == 200 and "<script" in await response.text(), "the page is there")
        wanted = {"conversation": conversation}
        async with http.post(f"{base}/api/generate-room-token", params=who, json=wanted) as response:
            given = await response.json()
        async with call(given["url"], given["token"]) as caller:
            await caller.until_agent_speaks(0.0)
            await caller.until_agent_is_silent()
        history = f"{base}/ws/v1/conversation/{conversation}/messages/"
        query = {**who, "app_type": "trial", "limit": "10"}
        thread: list[Any] = []
        async with asyncio.timeout(READY_TIMEOUT_S):
            while not thread:
                async with http.get(history, params=query) as response:
                    thread = (await response.json())["results"]
                await asyncio.sleep(0.1)
    must(len(thread) == 1, "a caller hears the agent, and the thread has what it said")
