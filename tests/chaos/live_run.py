"""Real calls on a real stack with two workers, while jobs, workers and livekit-server are killed."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO

import psutil

from agent.journal.opening import FILE_NAME
from tests.chaos.live_call import HANGING_S, LiveCall
from tests.chaos.live_plan import Blow, Victim, make_blows
from tests.chaos.live_verdict import CallLog, LiveResult, Texts, count_silent, count_speechless, judge_live
from tests.support.caller import call
from tests.support.journal_file import LiveAgent, agents_in, turns_in, undelivered_in
from tests.support.livekit_process import LiveKitProcess, livekit_process
from tests.support.stack import ROOT, RunningStack, running_stack

CALLERS = 2
SHORTEST_CALL_S, LONGEST_CALL_S = 40.0, 100.0
DELIVERY_TIMEOUT_S = 120.0
REGISTERED = b"registered worker"


class Worker:
    """A worker beside the stack's own, started again by `start`."""

    def __init__(self, env: dict[str, str], log_file: Path) -> None:
        self._env = {**env, "WORKER_PORT": "0"}
        self._log_file = log_file
        self._log: IO[bytes] = log_file.open("wb")
        self._log_from = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def group(self) -> int | None:
        """Its process group, while it runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start it unless it runs."""
        if self._process is None:
            self._log_from = self._log_file.stat().st_size
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agent", "start"],
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )

    async def registered(self) -> None:
        """Wait until LiveKit knows it."""
        async with asyncio.timeout(HANGING_S):
            while REGISTERED not in self._log_file.read_bytes()[self._log_from :]:
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """End it and its jobs without any chance to do something about it."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await asyncio.to_thread(self._process.wait)
            self._process = None

    async def close(self) -> None:
        """It is not needed any more."""
        await self.kill()
        self._log.close()


class LiveRun:
    """One run.

    Args:
        seed: decides what goes wrong, what is said and for how long calls last.
        minutes: how long people call.
        folder: where data and logs are kept.
    """

    def __init__(self, seed: int, minutes: float, folder: Path) -> None:
        self._seed = seed
        self._minutes = minutes
        self._folder = folder
        self._calls: dict[str, LiveCall] = {}
        self._logs: list[CallLog] = []
        self._ends_at = 0.0
        self._stack: RunningStack
        self._livekit: LiveKitProcess
        self._worker: Worker

    async def carry_out(self) -> LiveResult:
        """Do everything, then wait until all is delivered, or too long."""
        async with AsyncExitStack() as exits:
            self._livekit = await exits.enter_async_context(livekit_process())
            env = {"DRAIN_SECONDS": "0", **self._livekit.env}
            self._stack = await exits.enter_async_context(running_stack(self._folder / "stack", env))
            own = psutil.Process(self._stack.worker_pid()).environ()
            self._worker = Worker(own, self._folder / "second_worker.log")
            exits.push_async_callback(self._worker.close)
            self._worker.start()
            await self._worker.registered()
            began = time.monotonic()
            self._ends_at = began + 60 * self._minutes
            async with asyncio.TaskGroup() as tasks:
                people = [tasks.create_task(self._keep_calling(number)) for number in range(CALLERS)]
                blows = tasks.create_task(self._strike(began))
                await asyncio.wait(people)
                blows.cancel()
            return await self._settle()

    async def _keep_calling(self, number: int) -> None:
        chance = random.Random(f"{self._seed} {number}")
        count = 0
        while time.monotonic() < self._ends_at:
            count += 1
            conversation = f"live{self._seed}p{number}c{count}"
            given = await self._stack.room_token(conversation)
            log = CallLog(conversation)
            self._logs.append(log)
            until = min(self._ends_at, time.monotonic() + chance.uniform(SHORTEST_CALL_S, LONGEST_CALL_S))
            async with call(given["url"], given["token"]) as caller:
                live = LiveCall(caller, log, chance)
                self._calls[conversation] = live
                try:
                    await caller.until_agent_speaks(0.0, HANGING_S)
                    await live.go_on_until(until)
                finally:
                    del self._calls[conversation]

    async def _strike(self, began: float) -> None:
        for blow in make_blows(self._seed, 60 * self._minutes):
            await asyncio.sleep(max(0.0, began + blow.at - time.monotonic()))
            match blow.victim:
                case Victim.JOB:
                    self._kill_job(blow)
                case Victim.WORKER:
                    await self._kill_worker(blow)
                case Victim.LIVEKIT:
                    for live in self._calls.values():
                        live.lose_agent(blow.victim, "")
                    await self._livekit.kill()
                    await asyncio.sleep(blow.outage)
                    await self._livekit.start()

    def _kill_job(self, blow: Blow) -> None:
        holders = sorted(self._holders().items())
        if holders:
            conversation, agent = holders[int(blow.choice * len(holders))]
            os.kill(agent.pid, signal.SIGKILL)
            self._calls[conversation].lose_agent(blow.victim, agent.identity)

    async def _kill_worker(self, blow: Blow) -> None:
        try:
            groups = [self._stack.worker_pid()]
        except ValueError:  # it is being started again just now
            groups = []
        second = self._worker.group
        groups += [second] if second is not None else []
        if not groups:
            return
        group = groups[int(blow.choice * len(groups))]
        family = {child.pid for child in psutil.Process(group).children(recursive=True)}
        # A call may be over when the worker is dead.
        cut = [(self._calls[name], agent.identity) for name, agent in self._holders().items() if agent.pid in family]
        if group == second:
            await self._worker.kill()
        else:
            os.killpg(group, signal.SIGKILL)  # the stack starts it again
        for live, identity in cut:
            live.lose_agent(blow.victim, identity)
        if group == second:
            await asyncio.sleep(blow.outage)
            self._worker.start()

    def _holders(self) -> dict[str, LiveAgent]:
        """The agent of each call that has one."""
        return {name: agent for name, agent in agents_in(self._journal).items() if name in self._calls}

    @property
    def _journal(self) -> Path:
        return self._stack.data_dir / FILE_NAME

    async def _settle(self) -> LiveResult:
        deadline = time.monotonic() + DELIVERY_TIMEOUT_S
        while (left := undelivered_in(self._journal)) and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        texts = {log.conversation: await self._texts(log.conversation) for log in self._logs}
        verdict, in_flight = judge_live(self._logs, texts)
        return LiveResult(
            self._seed,
            self._minutes,
            self._logs,
            verdict,
            in_flight,
            undelivered=left,
            speechless=count_speechless(texts),
            silent=count_silent(self._logs, texts),
        )

    async def _texts(self, conversation: str) -> Texts:
        journal = [(turn.id, turn.text) for turn in turns_in(self._journal, conversation)]
        thread = [(message["id"], message["text"]) for message in await self._stack.thread(conversation)]
        return Texts(journal, thread)
