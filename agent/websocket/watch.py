"""Watches one link: sends pings and heartbeats, measures the round trip, and cuts a link that is dead."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from agent.websocket.callbacks import call
from agent.websocket.errors import LinkLost
from agent.websocket.heartbeat import Action, Heartbeat, Liveness, Payload
from agent.websocket.options import Options
from agent.websocket.transport import Link, LinkClosed

GRACE_S = 0.05


class Watch:
    """The owner runs it beside the reader and tells it what was heard.

    A dead link is aborted and not closed: a closing handshake would wait for somebody who is not there.

    Args:
        link: the open link.
        options: the intervals and time-outs.
        clock: monotonic seconds.
    """

    def __init__(self, link: Link, options: Options, clock: Callable[[], float]) -> None:
        self._link = link
        self._clock = clock
        self._held = False
        self.verdict: LinkLost | None = None
        self.rtt: float | None = None
        now = clock()
        self._pings: Liveness | None = None
        if options.ping_interval is not None:
            silence = options.ping_interval + options.ping_timeout
            self._pings = Liveness(options.ping_interval, silence, now, only_when_silent=False)
        self._heartbeat = options.heartbeat_options
        self._beats: Liveness | None = None
        if self._heartbeat is not None:
            self._beats = Liveness(self._heartbeat.interval, self._heartbeat.timeout, now, only_when_silent=True)

    def heard(self, data: Payload) -> bool:
        """A message came; returns whether it is the heartbeat's answer, which is nobody's business."""
        now = self._clock()
        if self._pings is not None:
            self._pings.heard(now, answer=False)
        if self._heartbeat is None or self._beats is None:
            return False
        expected = self._heartbeat.return_message
        if (rtt := self._beats.heard(now, answer=expected is None or data == expected)) is not None:
            self.rtt = rtt
        return expected is not None and data == expected

    def give_up(self, why: str) -> None:
        """The link is dead: cut it."""
        if self.verdict is None:
            self.verdict = LinkLost(why)
        self._link.abort()

    @contextmanager
    def held(self) -> Iterator[None]:
        """While we do not read ourselves, silence means nothing."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._forgive()

    async def run(self) -> None:
        """Watch until the owner cancels it."""
        async with asyncio.TaskGroup() as tasks:
            if self._pings is not None:
                tasks.create_task(self._keep(self._pings, self._ping, "ping"))
            if self._heartbeat is not None and self._beats is not None:
                message = self._heartbeat
                tasks.create_task(self._keep(self._beats, lambda: self._beat(message), "heartbeat"))

    async def _keep(self, liveness: Liveness, ask: Callable[[], Awaitable[bool]], what: str) -> None:
        while True:
            if self._held:
                self._forgive()
            now = self._clock()
            due = liveness.due(now)
            if due.action is Action.GIVE_UP:
                # An event loop that was blocked reads first what came meanwhile.
                await asyncio.sleep(GRACE_S)
                if liveness.due(self._clock()).action is Action.GIVE_UP and not self._held:
                    self.give_up(f"the link is dead: nothing was heard ({what})")
                    return
                continue
            if due.action is Action.WAIT:
                await asyncio.sleep(due.seconds)
                continue
            liveness.asked(now)
            try:
                # Writing waits for room in the buffer, for ever on a half-open link.
                async with asyncio.timeout(liveness.left(now)):
                    if not await ask():
                        return
            except TimeoutError:
                continue
            except LinkClosed:
                return

    async def _ping(self) -> bool:
        sent_at = self._clock()

        def answered() -> None:
            now = self._clock()
            self.rtt = now - sent_at
            if self._pings is not None:
                self._pings.heard(now)

        await self._link.ping(answered)
        return True

    async def _beat(self, heartbeat: Heartbeat) -> bool:
        message = heartbeat.message
        if callable(message):
            made = call("the heartbeat's message", message)
            if not isinstance(made.value, str | bytes):
                return False  # logged; this link goes on without heartbeats, pings still watch it
            message = made.value
        await self._link.send(message)
        return True

    def _forgive(self) -> None:
        now = self._clock()
        for liveness in (self._pings, self._beats):
            if liveness is not None:
                liveness.heard(now, answer=False)
