"""livekit-server for this machine: the one on the PATH, or version 1.13.5 built once with `go install`."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.dev.ports import LOOPBACK
from agent.dev.problems import StartError
from agent.dev.steps import StepFailed, Steps, file_lock, run_command
from agent.dev.toolchain import CACHE, GO, Version, find_toolchain, parse_version

VERSION = "1.13.5"
MODULE = f"github.com/livekit/livekit-server/cmd/server@v{VERSION}"
BUILT_NAME = "server"  # what `go install` calls the binary: the last part of the module's path


@dataclass(frozen=True)
class LiveKitServer:
    """A livekit-server that can be run.

    Attributes:
        program: where it is.
        version: as it says itself.
        built: whether it is the one built here, not one of the machine.
    """

    program: Path
    version: Version
    built: bool

    def __str__(self) -> str:
        origin = "built here" if self.built else f"{self.program}"
        return f"livekit-server {'.'.join(map(str, self.version))} ({origin})"


async def find_livekit_server(steps: Steps, cache: Path = CACHE) -> LiveKitServer:
    """The livekit-server on the PATH, else the one in the cache, built first if it is not there.

    Raises:
        StartError: it cannot be built; the message says what to do.
    """
    on_path = shutil.which("livekit-server")
    if on_path is not None:
        found = await _try(Path(on_path), built=False)
        if found is None:
            raise StartError(f"{on_path} does not run: repair it, or take it off the PATH and one is built here")
        return found
    program = cache / "bin" / f"livekit-server-{VERSION}"
    waiting = "another start is building livekit-server: waiting for it"
    async with file_lock(cache / "livekit-server.lock", lambda: steps.console.print(waiting)):
        found = await _try(program, built=True) if program.exists() else None
        if found is None:
            await _build(program, steps, cache)
            found = await _try(program, built=True)
    if found is None:
        raise StartError(f"the livekit-server that was built does not run: remove {program} and start again")
    return found


async def _try(program: Path, *, built: bool) -> LiveKitServer | None:
    said: list[str] = []
    try:
        await run_command([program, "--version"], env=server_environment({}), on_line=said.append)
    except StepFailed:
        return None
    return LiveKitServer(program, parse_version(said[-1] if said else ""), built)


async def _build(program: Path, steps: Steps, cache: Path) -> None:
    go = await find_toolchain(GO, steps, cache)
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent, prefix="build-") as folder:
        env = {**go.environment(), "GOBIN": folder, "GOTOOLCHAIN": "local"}
        command = (go.program, "install", "-v", MODULE)  # -v: names each package as it is compiled
        title = f"Building livekit-server {VERSION} (once, about two minutes)"
        try:
            await steps.run(title, command, env=env, detail=_progress)
        except StepFailed as error:
            raise StartError(
                f"livekit-server could not be built ({error.reason}): check the network and start again, "
                "or put a livekit-server on the PATH"
            ) from None
        os.replace(Path(folder) / BUILT_NAME, program)


def _progress(line: str) -> str | None:
    """What `go install -v` does now: "downloading github.com/pion/ice" or "compiling net/http"."""
    if line.startswith("go: downloading "):
        return f"downloading {line.split()[2]}"
    return f"compiling {line}" if line and " " not in line else None


def server_environment(config: Mapping[str, str]) -> dict[str, str]:
    """The environment of the server: the machine's without variables that livekit-server reads as settings."""
    foreign = ("LIVEKIT_", "REDIS_", "NODE_IP", "UDP_PORT")
    return {key: value for key, value in os.environ.items() if not key.startswith(foreign)} | dict(config)


def local_config(*, port: int, udp_port: int, api_key: str, api_secret: str) -> dict[str, str]:
    """The variable that configures a server reached from this machine only.

    The keys are in the environment, which others cannot read, and not among the arguments, which they can.
    Media takes one UDP port on 127.0.0.1; TCP for media is off, as livekit-server would open it on every address.
    """
    config = {
        "port": port,
        "bind_addresses": [LOOPBACK],
        "rtc": {
            "udp_port": udp_port,
            "tcp_port": 0,
            "node_ip": LOOPBACK,
            "use_external_ip": False,
            "enable_loopback_candidate": True,
            "ips": {"includes": [f"{LOOPBACK}/32"]},
        },
        "turn": {"enabled": False},
        "keys": {api_key: api_secret},
        # At "warn" every hang-up writes three lines about data channels that were closed.
        "logging": {"level": "error", "pion_level": "error"},
        # Seconds: a room that nobody joined; a room that everybody left (a reload of the page must find it again).
        "room": {"empty_timeout": 60, "departure_timeout": 30},
    }
    return {"LIVEKIT_CONFIG": json.dumps(config)}
