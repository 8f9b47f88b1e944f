"""What the development stack runs here and what it finds elsewhere, and what each child is told of it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.dev.chat.credentials import agent_token
from agent.dev.livekit_server import LiveKitServer, local_config, server_environment
from agent.dev.ports import LOOPBACK, PortWish, claim_ports, free_udp_port
from agent.dev.problems import StartError
from agent.dev.processes import ProcessSpec
from agent.dev.secrets import DevSecrets
from agent.settings import Settings

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Seconds between SIGTERM and SIGKILL. livekit-server waits for its rooms to empty, and nobody is left to do so.
LIVEKIT_GRACE = 1.0
WORKER_GRACE = 6.0


@dataclass(frozen=True)
class Ports:
    """The ports of 127.0.0.1 that the stack listens on; 0 where it runs nothing."""

    page: int
    livekit: int
    livekit_udp: int
    models: int
    worker: int


@dataclass(frozen=True)
class Plan:
    """What runs where. The servers that are not local are the ones that the settings name."""

    settings: Settings
    secrets: DevSecrets
    ports: Ports

    @property
    def local_livekit(self) -> bool:
        """Whether livekit-server runs here."""
        return not self.settings.livekit_url

    @property
    def local_chat(self) -> bool:
        """Whether the embedded chat server is the chat backend."""
        return not self.settings.chat_api_url

    @property
    def local_models(self) -> bool:
        """Whether the models server runs here."""
        return self.settings.uses_local_models

    @property
    def page_url(self) -> str:
        """Where a person opens the page."""
        return f"http://{LOOPBACK}:{self.ports.page}"

    @property
    def livekit_url(self) -> str:
        """Where rooms are."""
        return self.settings.livekit_url or f"ws://{LOOPBACK}:{self.ports.livekit}"

    @property
    def chat_api_url(self) -> str:
        """The base of the chat's WebSocket; ends in a slash."""
        return self.settings.chat_api_url or f"ws://{LOOPBACK}:{self.ports.page}/ws/v1/"

    @property
    def models_url(self) -> str:
        """The base of the local models' OpenAI API, or "" when they do not run."""
        return f"http://{LOOPBACK}:{self.ports.models}/v1" if self.local_models else ""


def make_plan(settings: Settings, secrets: DevSecrets) -> Plan:
    """Decide what runs here and on which ports.

    Raises:
        StartError: a port is taken, or a server elsewhere is named without its keys.
    """
    if settings.livekit_url and not (settings.livekit_api_key and settings.livekit_api_secret.get_secret_value()):
        raise StartError(
            "LIVEKIT_URL is set without LIVEKIT_API_KEY and LIVEKIT_API_SECRET: set both to that server's keys, "
            "or unset LIVEKIT_URL to run a server here"
        )
    wishes = {
        "page": PortWish(settings.page_port, "the page and the chat", "PAGE_PORT"),
        "worker": PortWish(settings.worker_port, "the worker's health check", "WORKER_PORT"),
    }
    if not settings.livekit_url:
        wishes["livekit"] = PortWish(settings.livekit_port, "livekit-server", "LIVEKIT_PORT")
    if settings.uses_local_models:
        wishes["models"] = PortWish(settings.models_port, "the local models", "MODELS_PORT")
    chosen = dict(zip(wishes, claim_ports(list(wishes.values())), strict=True))
    livekit = chosen.get("livekit", 0)
    ports = Ports(
        page=chosen["page"],
        livekit=livekit,
        livekit_udp=free_udp_port() if livekit else 0,
        models=chosen.get("models", 0),
        worker=chosen["worker"],
    )
    return Plan(settings, secrets, ports)


def child_environment(plan: Plan, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of the Python children: that of this process, and all that was decided."""
    settings, ports = plan.settings, plan.ports
    told = {
        "LIVEKIT_URL": plan.livekit_url,
        "CHAT_API_URL": plan.chat_api_url,
        "CHAT_EMBEDDED": "1" if plan.local_chat else "0",
        "PAGE_PORT": str(ports.page),
        "WORKER_HOST": LOOPBACK,
        "WORKER_PORT": str(ports.worker),
        "WORKER_MAX_LOAD": "inf",  # on one's own machine a call is answered, however busy that is
        "DRAIN_SECONDS": "0",  # Ctrl-C and reloads end running calls, in order but at once
        "DATA_DIR": str(settings.data_dir.resolve()),
        "PYTHONUNBUFFERED": "1",
    }
    if plan.local_livekit:
        told["LIVEKIT_PORT"] = str(ports.livekit)
        told["LIVEKIT_API_KEY"] = plan.secrets.livekit_api_key
        told["LIVEKIT_API_SECRET"] = plan.secrets.livekit_api_secret
    if plan.local_chat:
        told["CHAT_TOKEN"] = agent_token(plan.secrets)
    if plan.local_models:
        told["MODELS_PORT"] = str(ports.models)
    base = dict(os.environ if env is None else env)
    # Numeric libraries start a thread for each core in each process otherwise.
    limits = {name: str(settings.local_model_threads) for name in THREAD_LIMITS if name not in base}
    return {**base, **limits, **told}


def process_specs(plan: Plan, server: LiveKitServer | None) -> tuple[ProcessSpec, ...]:
    """The children of the stack in the order in which they are started."""
    env = child_environment(plan)
    ports = plan.ports
    agent = (sys.executable, "-m", "agent")
    specs = []
    if server is not None:
        config = local_config(
            port=ports.livekit,
            udp_port=ports.livekit_udp,
            api_key=plan.secrets.livekit_api_key,
            api_secret=plan.secrets.livekit_api_secret,
        )
        specs.append(
            ProcessSpec(
                "livekit",
                (str(server.program),),
                server_environment(config),
                f"http://{LOOPBACK}:{ports.livekit}/",
                grace=LIVEKIT_GRACE,
                colour="magenta",
            )
        )
    if plan.local_models:
        url = f"http://{LOOPBACK}:{ports.models}/healthz"
        specs.append(ProcessSpec("models", (*agent, "serve", "models"), env, url, colour="blue"))
    url = f"{plan.page_url}/healthz"
    specs.append(ProcessSpec("chat", (*agent, "serve", "chat"), env, url, colour="green"))
    url = f"http://{LOOPBACK}:{ports.worker}/readyz"
    specs.append(ProcessSpec("worker", (*agent, "start"), env, url, grace=WORKER_GRACE, colour="yellow"))
    return tuple(specs)


def data_folder(settings: Settings) -> Path:
    """The data folder, made if it is not there.

    Raises:
        StartError: it cannot be made or written to.
    """
    folder = settings.data_dir.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"the data folder {folder} cannot be made ({error.strerror}): choose DATA_DIR") from None
    if not os.access(folder, os.W_OK):
        raise StartError(f"the data folder {folder} cannot be written to: choose another with DATA_DIR")
    return folder
