"""Two hosts on one machine: livekit-server nodes and workers that share nothing but a Redis."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from rich.console import Console

from agent.dev.livekit_server import find_livekit_server, local_config, server_environment
from agent.dev.ports import free_udp_port
from agent.dev.secrets import load_dev_secrets
from agent.dev.steps import Steps
from tests.support.redis_server import RedisServer
from tests.support.stack import RunningStack
from tests.support.tcp_proxy import TcpProxy
from tests.support.worker import RunningWorker, free_port, running_worker

READY_TIMEOUT_S = 60.0
AGENT = "shared-agent"


@dataclass
class Node:
    """A livekit-server that knows the others through Redis.

    Args:
        program: the server.
        port: where it listens.
        front: where people and workers reach it.
        config: its environment.
        redis: where the nodes meet.
    """

    program: Path
    port: int
    front: TcpProxy
    config: dict[str, str]
    redis: RedisServer
    process: subprocess.Popen[bytes] | None = None
    id: str = ""

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"ws://127.0.0.1:{self.front.port}"

    def has(self, room: str) -> bool:
        """Whether a room lives there."""
        with self.redis.client() as client:
            return bool(client.hget("room_node_map", room) == self.id)

    async def start(self) -> None:
        """Start it and wait until it answers."""
        with self.redis.client() as client:
            before = set(client.hkeys("nodes"))
            await self._start()
            (self.id,) = set(client.hkeys("nodes")) - before
        self.front.target = self.port

    async def _start(self) -> None:
        self.process = subprocess.Popen(
            [str(self.program)],
            env=server_environment(self.config),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        async with asyncio.timeout(READY_TIMEOUT_S), aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(f"http://127.0.0.1:{self.port}/") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    assert self.process.poll() is None, "livekit-server ended"
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """SIGKILL; whoever was connected hears nothing any more."""
        if self.process is not None:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
            self.process = None

    async def fail_over(self, other: "Node") -> None:
        """Kill it; whoever comes is led to another one, as a balancer does that looks after its nodes."""
        await self.kill()
        self.front.target = other.port


@dataclass(frozen=True)
class Host:
    """A node, and a worker that is registered there."""

    node: Node
    worker: RunningWorker

    def kill_worker(self) -> None:
        """The worker and all its job processes."""
        os.killpg(self.worker.process.pid, signal.SIGKILL)


@asynccontextmanager
async def two_hosts(stack: RunningStack, redis: RedisServer, folder: Path) -> AsyncIterator[tuple[Host, Host]]:
    """Two of each, ready; each worker has a DATA_DIR of its own."""
    secrets = load_dev_secrets(stack.data_dir)
    program = (await find_livekit_server(Steps(Console(stderr=True)))).program
    async with AsyncExitStack() as exits:
        hosts = []
        for number in (1, 2):
            port = free_port()
            told = local_config(
                port=port,
                udp_port=free_udp_port(),
                api_key=secrets.livekit_api_key,
                api_secret=secrets.livekit_api_secret,
            )
            config = json.loads(told["LIVEKIT_CONFIG"]) | {"redis": redis.livekit}
            front = await exits.enter_async_context(TcpProxy(port))
            node = Node(program, port, front, {"LIVEKIT_CONFIG": json.dumps(config)}, redis)
            await node.start()
            exits.push_async_callback(node.kill)
            env = {"LIVEKIT_URL": node.url, "JOURNAL_URL": redis.url.get_secret_value(), "DRAIN_SECONDS": "0"}
            worker = await exits.enter_async_context(
                running_worker(stack, folder / f"host-{number}", agent=AGENT, env=env, prefix=named(f"host-{number}"))
            )
            hosts.append(Host(node, worker))
        yield hosts[0], hosts[1]


def named(host: str) -> tuple[str, ...]:
    """What gives a process a host name of its own where that may be done: then process numbers tell others nothing."""
    command = ("unshare", "--uts", "sh", "-c", f'hostname {host} && exec "$@"', "sh")
    if shutil.which("unshare") is None:
        return ()
    works = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    return command if works else ()
