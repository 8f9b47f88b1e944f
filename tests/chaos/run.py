"""Carries a plan out: real processes, real sockets, real signals; then compares what came of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.host import Conversation, Host
from tests.chaos.plan import EndCall, KillJob, Line, Plan, Say, Server, ServerFaults, Step, Type, Weather, Worker
from tests.chaos.server import ChatServer
from tests.chaos.verdict import CallRecord, ThreadRecord, Verdict, judge
from tests.chat_server.model_server import ModelServer, start_model_server

DELIVERY_TIMEOUT_S = 300.0  # what is not delivered by then, on a machine however slow, is lost
LOG_NAME = "processes.log"


@dataclass(frozen=True)
class Result:
    """A run.

    Args:
        seed, turns, conversations: what was done.
        seconds: how long it took, from the first turn to the last acknowledgement.
        caused: which faults really happened, and how often.
        verdict: what came of it.
        log: what the processes logged.
    """

    seed: int
    turns: int
    conversations: int
    seconds: float
    caused: Counter[str]
    verdict: Verdict
    log: Path

    def to_json(self) -> dict[str, Any]:
        """For other programs."""
        return {
            "seed": self.seed,
            "turns": self.verdict.turns,
            "planned": self.turns,
            "conversations": self.conversations,
            "seconds": round(self.seconds, 1),
            "turns_per_s": round(self.verdict.turns / self.seconds, 1),
            "good": self.verdict.good,
            "caused": dict(sorted(self.caused.items())),
            **{name.replace(" ", "_"): found for name, found in self.verdict.problems().items()},
        }


class Run:
    """One run.

    Args:
        plan: what happens.
        folder: where the data of its hosts and servers, and the log, are kept.
        pace: turns said per second, of all conversations together.
        limit_s: seconds after which the run is given up.
        progress: told how many turns were said.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        pace: float,
        *,
        limit_s: float,
        progress: Callable[[int], None] = lambda said: None,
    ) -> None:
        self._plan = plan
        self._pace = pace
        self._limit_s = limit_s
        self._progress = progress
        self._folder = folder
        self._conversations = {planned.id: Conversation(planned) for planned in plan.conversations}
        self._hosts: dict[Line, Host] = {}
        self._typing: set[asyncio.Task[None]] = set()
        self._caused: Counter[str] = Counter()
        self._said = 0

    async def carry_out(self) -> Result:
        """Do everything, then wait until all is delivered, or too long.

        Raises:
            TimeoutError: the run takes longer than its limit.
        """
        async with AsyncExitStack() as exits, asyncio.timeout(self._limit_s):
            log = exits.enter_context((self._folder / LOG_NAME).open("wb"))
            model = await start_model_server(ModelServer())
            exits.push_async_callback(model.cleanup)
            model_url = f"http://127.0.0.1:{model.addresses[0][1]}/v1"
            self._server = ChatServer(self._folder / "chat", model_url, log)
            exits.push_async_callback(self._server.kill)
            self._server.start()
            await self._server.started()
            for line in Line:
                host = Host(line, self._folder / line, self._server.port, self._server.token, log)
                await exits.enter_async_context(host.proxy)
                exits.push_async_callback(host.close)
                self._hosts[line] = host
                await host.start_worker()
            exits.push_async_callback(self._kill_jobs)
            began = time.monotonic()
            for step in self._plan.steps:
                await self._do(step)
            calls = await self._settle()
            seconds = time.monotonic() - began
            verdict = judge([await self._thread(c) for c in self._conversations.values()], calls)
            await self._server.kill()
        self._caused.update(self._server.caused)
        for host in self._hosts.values():
            self._caused.update(host.caused)
            self._caused.update({f"line {kind}": count for kind, count in host.proxy.faults.items()})
        self._caused = +self._caused  # what did not happen is not counted
        plan = self._plan
        log_file = self._folder / LOG_NAME
        return Result(plan.seed, plan.turns, len(plan.conversations), seconds, self._caused, verdict, log_file)

    async def _do(self, step: Step) -> None:
        match step:
            case Say(name, turns):
                conversation = self._conversations[name]
                await self._host(conversation).say(conversation, turns)
                self._said += len(turns)
                self._progress(self._said)
                await asyncio.sleep(len(turns) / self._pace)
            case Type(name, text):
                if self._server.running:
                    self._typing.add(asyncio.create_task(self._server.type(name, text)))
            case EndCall(name):
                conversation = self._conversations[name]
                self._host(conversation).end_call(conversation)
            case KillJob(name):
                conversation = self._conversations[name]
                await self._host(conversation).kill_job(conversation)
            case Server(runs):
                await self._run_server(runs)
            case Worker(line, runs):
                host = self._hosts[line]
                await (host.start_worker() if runs else host.kill_worker())
            case Weather(line):
                self._hosts[line].change_weather(step)
            case ServerFaults(faults):
                await self._server.go_wrong(faults)

    async def _run_server(self, runs: bool) -> None:
        if runs:
            self._server.start()
        elif await self._server.kill():
            self._caused["chat server killed"] += 1

    async def _settle(self) -> list[CallRecord]:
        """Mend everything, and wait until every turn is delivered; what is not by then is lost."""
        self._server.start()
        await self._server.started()
        await self._server.go_wrong(self._plan.always)
        for host in self._hosts.values():
            host.change_weather(Weather(host.line, "fine"))
            await host.start_worker()
        await asyncio.gather(*self._typing)
        records: list[CallRecord] = []
        for conversation in self._conversations.values():
            host = self._host(conversation)
            if (whole := await host.settle(conversation)) is not None:
                records.append(whole)
            host.end_call(conversation)
            records += host.records(conversation)
        for conversation in self._conversations.values():
            await conversation.ended()
        deadline = time.monotonic() + DELIVERY_TIMEOUT_S
        while any(host.undelivered for host in self._hosts.values()) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        return records

    async def _thread(self, conversation: Conversation) -> ThreadRecord:
        planned = conversation.planned
        journal = self._host(conversation).journal_of(planned.id)
        thread = await self._server.thread(planned.id)
        return ThreadRecord(planned.id, [turn.text for turn in planned.turns], journal, thread)

    async def _kill_jobs(self) -> None:
        for conversation in self._conversations.values():
            for ending in conversation.ending:
                ending.cancel()
            await asyncio.gather(*conversation.ending, return_exceptions=True)
            for job in conversation.calls:
                await job.kill()

    def _host(self, conversation: Conversation) -> Host:
        return self._hosts[conversation.planned.line]
