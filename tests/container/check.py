"""Builds the worker's image without a container engine, starts it, and makes a call to it; see scripts/container-check.

With the argument `trial` it starts the whole trial of deploy/compose.yaml instead, but for Redis.

Exit status 0: the image is what docs/operations.md says, or this machine cannot build one, which is said. Anything
else is a failure.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from agent.dev.chat.room_tokens import new_room_token
from agent.settings import load_settings
from tests.container.clean_root import Builder, DebianUnreachable, Image, StepError
from tests.container.dockerfile import Ignore, parse_dockerfile
from tests.container.findings import build_programs, megabytes, owned_by, secrets
from tests.container.outcome import Failed, must, processes_of, until_ready
from tests.container.running_image import RunningImage, running
from tests.container.trial import given_page, run_trial
from tests.support.caller import call
from tests.support.stack import ROOT, RunningStack, running_stack
from tests.support.worker import free_port, servers_of

CACHE = ROOT / ".cache" / "container"
NEEDED = ("debootstrap", "unshare", "nsenter", "setpriv", "chroot", "tar", "du")
MOUNTS = ("unshare", "--mount", "--pid", "--fork", "sh", "-c", "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt")
USER = 10001


def main() -> int:
    """Build, look, run."""
    if why := cannot_build():
        sys.stdout.write(f"   NOT CHECKED: no image can be built on this machine: {why}\n")
        return 0
    begun, trial = time.monotonic(), "trial" in sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="container-") as work:
        builder = Builder(
            parse_dockerfile((ROOT / "Dockerfile").read_text()),
            ROOT,
            Ignore((ROOT / ".dockerignore").read_text()),
            Path(work),
            CACHE,
            {"page": given_page(Path(work))} if trial else {},
        )
        try:
            image = builder.image("worker")
            look(image, builder)
            sys.stdout.write(f"   built after {time.monotonic() - begun:.0f} s\n")
            asyncio.run(run_trial(builder, Path(work)) if trial else run(image, Path(work)))
        except DebianUnreachable as unreachable:
            sys.stdout.write(f"   NOT CHECKED: Debian's packages cannot be had here: {unreachable}\n")
            return 0
        except (Failed, StepError) as failure:
            sys.stderr.write(f"error: not so: {failure}\n")
            return 1
    sys.stdout.write(f"   checked after {time.monotonic() - begun:.0f} s\n")
    return 0


def cannot_build() -> str:
    """What this machine lacks, in words; empty when it lacks nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "that needs Linux and root"
    if missing := [program for program in NEEDED if shutil.which(program) is None]:
        return f"{', '.join(missing)} missing"
    tried = subprocess.run(MOUNTS, capture_output=True, text=True, check=False)
    return f"it may not mount ({tried.stderr.strip()[:200]})" if tried.returncode else ""


def look(image: Image, builder: Builder) -> None:
    """What can be seen without running it."""
    root = image.root
    must(not (found := build_programs(root)), f"no compiler and no installer inside {found or ''}")
    must(not (found := secrets(root)), f"no secret inside {found or ''}")
    must(owned_by(root, USER) == ["data"], "nothing but /data belongs to the worker's user")
    must(image.user == f"{USER}:{USER}", f"it runs as {image.user}")
    whole, base = megabytes(root), megabytes(builder.image("base").root)
    environment = megabytes(root / "opt" / "agent")
    sys.stdout.write(
        f"   {whole:.0f} MB: Debian with Python {base:.0f}, locked packages {environment:.0f}, "
        f"the worker {megabytes(root / 'app'):.0f}\n"
    )


async def run(image: Image, work: Path) -> None:
    """Start it beside real servers and talk to it."""
    async with running_stack(work / "stack") as stack:
        port = free_port()
        env = {**servers_of(stack), "AGENT_NAME": "contained", "WORKER_PORT": str(port), "WORKER_MAX_LOAD": "inf"}
        async with running(image, work / "data", env, work / "container.log") as container:
            try:
                await until_ready(container, port)
                confined(container)
                await call_it(stack, container)
                status = await container.stop()
            except BaseException:
                sys.stderr.write(container.log()[-6000:])
                raise
            must(status == 0, "SIGTERM ends it with status 0")
            must((work / "data" / "journal.db").exists(), "its journal is in /data")
            for secret in ("LIVEKIT_API_SECRET", "CHAT_TOKEN"):
                must(env[secret] not in container.log(), f"{secret} is not in its log")


def confined(container: RunningImage) -> None:
    """What it may and may not do."""
    healthy = container.inside(*container.image.health)
    must(healthy.returncode == 0, f"its health check passes {healthy.stderr[-500:]}")
    must(container.inside("id", "-u").stdout.strip() == str(USER), "its processes are not root's")
    status = container.inside("cat", "/proc/1/status").stdout
    must("CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status, "it has no privileges and gets none")
    for place in ("/app/agent/x", "/opt/agent/x", "/etc/x", "/x", "/usr/local/x"):
        done = container.inside("touch", place)
        must("Read-only file system" in done.stderr, f"{place} cannot be written: the root file system is read-only")
    for place in ("/data/x", "/tmp/x"):
        must(container.inside("touch", place).returncode == 0, f"{place} can be written")
    arguments = " ".join(word for process in processes_of(container) for word in process.cmdline())
    must(
        not any(container.env[name] in arguments for name in ("LIVEKIT_API_SECRET", "CHAT_TOKEN")),
        "no secret is among its processes' arguments",
    )


async def call_it(stack: RunningStack, container: RunningImage) -> None:
    """A person calls, and hears the greeting, which then stands in the thread."""
    settings = load_settings(container.env, None)
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    made = new_room_token(settings, conversation, "tester", {})
    async with call(made.url, made.token) as caller:
        await caller.until_agent_speaks(0.0)
        await caller.until_agent_is_silent()
        used = sum(process.memory_full_info().pss for process in processes_of(container)) / 1e6
        sys.stdout.write(f"   {used:.0f} MB of memory with one call, in {len(processes_of(container))} processes\n")
    must(len(await stack.until_thread(conversation, 1)) == 1, "a caller hears it, and the thread has what it said")


if __name__ == "__main__":
    sys.exit(main())
