"""A redis-server for tests: the machine's, else Debian's package."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from redis import Redis
from redis.exceptions import RedisError

from tests.support.worker import free_port

HOW = "install redis-server (Debian: apt-get install redis-server) so that it is on the PATH"
INSTALL_SECONDS = 600
START_SECONDS = 30.0
STOP_SECONDS = 30.0
PASSWORD = "kept-to-itself"


class NoRedisError(RuntimeError):
    """There is no redis-server; the message says how to get one."""


def find_redis_server() -> str:
    """The path of a redis-server, installed first if the machine has none.

    Raises:
        NoRedisError: none can be had.
    """
    if (found := shutil.which("redis-server")) is None and _apt():
        found = shutil.which("redis-server")
    if found is None:
        raise NoRedisError(f"the journal's tests need a redis-server, and none is here: {HOW}")
    return found


def _apt() -> bool:
    """Install Debian's package where this user may; without its service, which nobody asked for."""
    if shutil.which("apt-get") is None:
        return False
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and shutil.which("sudo") is None:
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", "redis-server"]):
        try:
            done = subprocess.run(
                [*prefix, "apt-get", *command], env=env, stdout=sys.stderr, timeout=INSTALL_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
    return done.returncode == 0


@dataclass
class RedisServer:
    """A redis-server of its own, with a password, that syncs each write; its data is in `folder`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> SecretStr:
        """Where it is, with the password."""
        return SecretStr(f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0")

    @property
    def livekit(self) -> dict[str, str]:
        """The same for livekit-server's configuration."""
        return {"address": f"127.0.0.1:{self.port}", "password": PASSWORD}

    def client(self) -> Redis:
        """A client that decodes texts."""
        return Redis.from_url(self.url.get_secret_value(), decode_responses=True, protocol=2)

    def start(self) -> None:
        """Start it, with what it has on its disk, and wait until it answers."""
        config = self.folder / "redis.conf"
        config.write_text(
            f'bind 127.0.0.1\nport {self.port}\ndir "{self.folder}"\nrequirepass {PASSWORD}\n'
            'appendonly yes\nappendfsync always\nsave ""\nlogfile redis.log\n'
        )
        self.process = subprocess.Popen([find_redis_server(), str(config)], stdin=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    return
                except RedisError:
                    if self.process.poll() is not None or time.monotonic() > until:
                        raise
                    time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: nothing is written any more."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It takes connections, and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(STOP_SECONDS)
            self.process = None


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    """Start one on a free port, and kill it at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    server = RedisServer(folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.kill()


if __name__ == "__main__":
    try:
        sys.stdout.write(f"redis-server: {find_redis_server()}\n")
    except NoRedisError as error:
        sys.exit(f"error: {error}")
