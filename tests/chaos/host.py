"""One host of a run: a line to the chat server, a journal, a worker's delivery and the jobs of its calls."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from agent.dev.ports import LOOPBACK
from agent.journal.opening import FILE_NAME, open_for_worker
from agent.turns import Channel, Turn
from tests.chaos.plan import Line, PlannedConversation, PlannedTurn, Weather
from tests.chaos.verdict import CallRecord
from tests.support.job_process import JobConfig, JobProcess
from tests.support.journal_file import turns_in, undelivered_in
from tests.support.leftovers_process import LeftoversProcess
from tests.support.tcp_proxy import TcpProxy, Way

# So soon after a link ends the next is tried: late enough for what was sent on the old one to be read before.
FIRST_PAUSE_S = 0.3
LONGEST_PAUSE_S = 1.5
END_TIMEOUT_S = 300.0  # against hanging: the run has a limit of its own


@dataclass
class Conversation:
    """One conversation as it goes on.

    `unsaid` are turns that were said to a process which was killed before they were durable: they are said again.
    `ending` are the ends of its calls that are under way.
    """

    planned: PlannedConversation
    job: JobProcess | None = None
    calls: list[JobProcess] = field(default_factory=list)
    said: list[PlannedTurn] = field(default_factory=list)
    unsaid: list[PlannedTurn] = field(default_factory=list)
    ending: list[asyncio.Task[None]] = field(default_factory=list)

    async def ended(self) -> None:
        """Wait until the calls that end have ended; raises what went wrong in one."""
        while self.ending:
            await self.ending.pop()


class Host:
    """See the module.

    Args:
        line: which one it is.
        folder: where its data is.
        port, token: of the chat server.
        log: where its processes log.
    """

    def __init__(self, line: Line, folder: Path, port: int, token: str, log: IO[bytes]) -> None:
        self.line = line
        self.proxy = TcpProxy(port)
        self.caused: Counter[str] = Counter()
        self._folder = folder
        self._token = token
        self._log = log
        self._worker: LeftoversProcess | None = None
        open_for_worker(folder).close()

    @property
    def undelivered(self) -> int:
        """How many turns the journal has as undelivered."""
        return undelivered_in(self._folder / FILE_NAME)

    def journal_of(self, conversation: str) -> list[str]:
        """The words of the turns in the journal."""
        return [turn.text for turn in turns_in(self._folder / FILE_NAME, conversation)]

    # The worker

    async def start_worker(self) -> None:
        """Start the delivery of what calls leave, unless it runs."""
        if self._worker is None:
            self._worker = await LeftoversProcess.start(
                self._folder, self._chat, self._token, self.line.dialect, self._log
            )

    async def kill_worker(self) -> None:
        """SIGKILL."""
        if self._worker is not None:
            await self._worker.kill()
            self._worker = None
            self.caused["worker killed"] += 1

    # Calls

    async def say(self, conversation: Conversation, turns: Sequence[PlannedTurn]) -> None:
        """Turns are said, in a call that is begun if there is none, after what was said in the one before it."""
        if conversation.job is None:
            await self._until_durable(conversation)
            config = JobConfig(
                str(self._folder),
                self._chat,
                self._token,
                conversation.planned.id,
                f"{conversation.planned.id}-call{len(conversation.calls)}",
                self.line.dialect,
                FIRST_PAUSE_S,
                LONGEST_PAUSE_S,
                conversation.planned.attempts,
                conversation.planned.asks,
            )
            conversation.job = await JobProcess.start(config, self._log)
            conversation.calls.append(conversation.job)
        again, conversation.unsaid = conversation.unsaid, []
        conversation.said += turns
        await conversation.job.say([_as_turn(turn, conversation) for turn in (*again, *turns)])

    def end_call(self, conversation: Conversation) -> None:
        """The user hangs up; nobody waits for it."""
        if (job := conversation.job) is not None:
            conversation.job = None
            conversation.ending.append(asyncio.create_task(job.end(END_TIMEOUT_S)))

    async def kill_job(self, conversation: Conversation) -> None:
        """SIGKILL in mid-call; what had not become durable by then is said again in the next call."""
        if (job := conversation.job) is None:
            return
        conversation.job = None
        await job.kill()
        self.caused["job killed"] += 1
        await conversation.ended()  # a call that ends may still write
        durable = set(self.journal_of(conversation.planned.id))
        conversation.unsaid = [turn for turn in conversation.said if turn.text not in durable]

    async def _until_durable(self, conversation: Conversation) -> None:
        waiting = {turn.text for turn in conversation.said} - {turn.text for turn in conversation.unsaid}
        async with asyncio.timeout(END_TIMEOUT_S):
            while not waiting <= set(self.journal_of(conversation.planned.id)):
                await asyncio.sleep(0.02)

    async def settle(self, conversation: Conversation) -> CallRecord | None:
        """At the end of the run: the call's last turns arrive, and then it has been told of everything."""
        if conversation.unsaid:
            await self.say(conversation, [])
        if (job := conversation.job) is None:
            return None
        last = conversation.said[-1].id
        await job.until(lambda: job.lost or last in job.delivered, END_TIMEOUT_S)
        return _record(job, whole=not job.lost)

    def records(self, conversation: Conversation) -> list[CallRecord]:
        """What each call was told, whole or not."""
        return [_record(job, whole=False) for job in conversation.calls]

    # The line

    def change_weather(self, weather: Weather) -> None:
        """The line is broken, or mended."""
        proxy, amount = self.proxy, weather.amount
        {
            "fine": self._mend,
            "drop": proxy.drop,
            "reset to client": lambda: proxy.reset_after_bytes(int(amount), Way.TO_CLIENT),
            "reset to server": lambda: proxy.reset_after_bytes(int(amount), Way.TO_SERVER),
            "stall": proxy.stall,
            "swallow": proxy.swallow,
            "delay": lambda: proxy.delay(amount),
            "slow": lambda: proxy.slow(amount),
            "refuse": self._cut_off,
        }[weather.kind]()

    def _mend(self) -> None:
        if any(way.swallowing for way in self.proxy.weather.values()):
            self.proxy.drop()  # a stream with a hole does not go on
        self.proxy.resume()

    def _cut_off(self) -> None:
        self.proxy.refuse()
        self.proxy.drop()

    async def close(self) -> None:
        """Kill the worker."""
        if self._worker is not None:
            await self._worker.kill()

    @property
    def _chat(self) -> str:
        return f"ws://{LOOPBACK}:{self.proxy.port}/ws/v1/"


def _as_turn(turn: PlannedTurn, conversation: Conversation) -> Turn:
    place = float(conversation.planned.turns.index(turn))
    return Turn(turn.id, conversation.planned.id, turn.speaker, Channel.VOICE, turn.text, place, place + 0.5)


def _record(job: JobProcess, *, whole: bool) -> CallRecord:
    told = [*(job.read or ()), *job.told]
    return CallRecord(job.config.call_id, job.config.conversation, told, whole)
