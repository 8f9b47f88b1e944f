"""Runs an image as a container would be: another user, its files read-only but for the data folder and /tmp."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.container.clean_root import Image

STOP_TIMEOUT_S = 60.0
# A container's devices and folders; the network stays that of this machine.
ENTER = """
root=$1 data=$2 user=$3 group=$4; shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind "$data" "$root/data"
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o nosuid,mode=755 tmpfs "$root/dev"
mkdir "$root/dev/shm"
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$root/dev/shm"
for device in null zero full random urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec chroot "$root" setpriv --reuid "$user" --regid "$group" --clear-groups --bounding-set -all --no-new-privs "$@"
"""


@dataclass(frozen=True)
class RunningImage:
    """A container without an engine."""

    image: Image
    process: subprocess.Popen[bytes]
    env: Mapping[str, str]
    log_file: Path

    def log(self) -> str:
        """What it has logged so far."""
        return self.log_file.read_text(errors="replace")

    def main_pid(self) -> int:
        """Its first process, as this machine numbers it."""
        return psutil.Process(self.process.pid).children()[0].pid

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as its user; the result is not checked."""
        user, group = self.image.user.split(":")
        enter = ["nsenter", "--target", str(self.main_pid()), "--mount", "--pid", "--root", "--wd"]
        drop = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--bounding-set", "-all"]
        env = ["/usr/bin/env", "-C", self.image.workdir, "-i", *(f"{k}={v}" for k, v in self.env.items())]
        return subprocess.run([*enter, *drop, *env, *command], capture_output=True, text=True, check=False)

    async def stop(self) -> int:
        """Send SIGTERM, as an engine does, and wait for the exit status."""
        os.kill(self.main_pid(), signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, STOP_TIMEOUT_S)


@asynccontextmanager
async def running(image: Image, data: Path, env: Mapping[str, str], log_file: Path) -> AsyncIterator[RunningImage]:
    """Start an image's own command with these variables; it is killed at the end if it lives."""
    user, group = image.user.split(":")
    data.mkdir(exist_ok=True)
    os.chown(data, int(user), int(group))
    whole = {**image.env, **env}
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", ENTER, "sh", str(image.root)]
    command += [str(data), user, group, "/usr/bin/env", "-C", image.workdir, "-i"]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            # The variables are handed over in the environment of the first process and not among its arguments.
            [*command, *(f"{key}={value}" for key, value in whole.items()), *image.entrypoint, *image.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield RunningImage(image, process, whole, log_file)
    finally:
        if process.poll() is None:
            process.kill()
            await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)
