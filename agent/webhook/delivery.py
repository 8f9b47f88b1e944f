"""The worker's sender: brings queued notices to their webhooks, in order for each call, until they are taken.

A call only writes into the queue. The worker sends, so that a receiver that hangs holds up no call, and what a killed
call or worker has left in the queue goes out all the same. A notice whose answer was lost is sent again with the same
id: the receiver gets it at least once, and knows it by its id.
"""

import asyncio
import logging
import os
import random
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from agent.journal import JournalError, Notice, Outbox
from agent.journal.outbox import DueNotice, Lease
from agent.webhook.endpoint import Endpoint, EndpointError
from agent.webhook.retry import Again, Delivered, Outcome, Refused, Retries, Unavailable, next_step

logger = logging.getLogger("agent.webhook")

LOOK_EVERY_S = 0.5
BOUND_EVERY_S = 60.0
AT_ONCE = 8
MAX_WAITING = 100_000
# Longer than an attempt takes.
LEASE_S = 60.0

Send = Callable[[Endpoint, Notice], Awaitable[Outcome]]


@dataclass(slots=True)
class _Health:
    """How a receiver has been lately: one that is down is asked by one request at a time, and not at once again."""

    failures: int = 0
    not_before: float = 0.0
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class Chance:
    """What a test replaces: the time and the dice.

    Attributes:
        clock: seconds since the epoch.
        spread: a random number from 0 to 1.
    """

    clock: Callable[[], float] = time.time
    spread: Callable[[], float] = random.random


class WebhookDelivery:
    """Sends what is queued.

    Args:
        outbox: the queue.
        endpoint_of: where a target is; raises EndpointError.
        send: makes one attempt (see `post.post`).
        retries: how patient it is.
        chance: the time and the dice.
        holder: the name under which calls are held, of everything that the process does for them (see `new_holder`).
    """

    def __init__(
        self,
        outbox: Outbox,
        endpoint_of: Callable[[str], Endpoint],
        send: Send,
        retries: Retries | None = None,
        chance: Chance | None = None,
        holder: str = "",
    ) -> None:
        self._outbox = outbox
        self._endpoint_of = endpoint_of
        self._send = send
        self._retries = retries or Retries()
        self._chance = chance or Chance()
        self._holder = holder or new_holder()
        self._health: dict[str, _Health] = {}
        self._busy: set[str] = set()
        self._bound_at = 0.0

    async def run(self) -> None:
        """Look and send until cancelled; one receiver never waits for another."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for target in await self._targets():
                    tasks.create_task(self._drain(target))
                await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Send what is due now, and return when it is sent or postponed."""
        async with asyncio.TaskGroup() as tasks:
            for target in await self._targets():
                tasks.create_task(self._drain(target))

    async def finish(self, timeout_s: float) -> None:
        """The worker ends: send what is due, for so many seconds, and leave the rest to the next one."""
        try:
            await asyncio.wait_for(self.look(), timeout_s)
        except TimeoutError:
            logger.warning("notices wait in the queue for the next start")
        try:
            await self._outbox.leave(self._holder)
        except JournalError as error:
            logger.error("%s", error)

    async def _targets(self) -> list[str]:
        """The receivers that nobody is sending to at this moment."""
        try:
            await self._bound()
            return [target for target in await self._outbox.targets() if target not in self._busy]
        except JournalError as error:
            logger.error("the webhook's queue cannot be read: %s", error)
            return []

    async def _bound(self) -> None:
        now = self._chance.clock()
        if now < self._bound_at:
            return
        self._bound_at = now + BOUND_EVERY_S
        given_up = await self._outbox.bound(now, now - self._retries.oldest_s, MAX_WAITING)
        if given_up:
            logger.error("notices were given up: they waited too long, or were too many", extra={"notices": given_up})

    async def _drain(self, target: str) -> None:
        self._busy.add(target)
        try:
            await self._send_due(target, self._health.setdefault(target, _Health()))
        except JournalError as error:
            logger.error("the webhook's queue cannot be used: %s", error)
        finally:
            self._busy.discard(target)

    async def _send_due(self, target: str, health: _Health) -> None:
        endpoint = self._usable(target, health)
        if endpoint is None:
            return
        while (now := self._chance.clock()) >= health.not_before:
            lease = Lease(self._holder, now, now + LEASE_S)
            due = await self._outbox.due(target, lease, 1 if health.failures else AT_ONCE)
            if not due:
                return
            outcomes = await asyncio.gather(*(self._send(endpoint, one.notice) for one in due))
            self._note(endpoint, health, outcomes)
            for one, outcome in zip(due, outcomes, strict=True):
                await self._settle(endpoint, one, outcome)

    def _usable(self, target: str, health: _Health) -> Endpoint | None:
        try:
            endpoint = self._endpoint_of(target)
        except EndpointError as error:
            if health.unusable != str(error):
                logger.error("a webhook's notices wait: %s", error)
            health.unusable = str(error)
            return None
        health.unusable = ""
        return endpoint

    async def _settle(self, endpoint: Endpoint, due: DueNotice, outcome: Outcome) -> None:
        now = self._chance.clock()
        if isinstance(outcome, Delivered):
            await self._outbox.delivered(due.notice.id, now)
            return
        refused = isinstance(outcome, Refused)
        step = next_step(
            outcome,
            attempts=due.attempts + 1,
            refusals=due.refusals + refused,
            waited_s=now - due.queued_at,
            retries=self._retries,
            spread=self._chance.spread,
        )
        if isinstance(step, Again):
            await self._outbox.postponed(due.notice.id, now + step.pause_s, outcome.problem, refused=refused)
            return
        await self._outbox.failed(due.notice.id, now, step.problem)
        logger.error(
            "the webhook does not take a notice, it is given up: %s",
            step.problem,
            extra={"call_id": due.notice.call_id, "notice_id": due.notice.id, "host": endpoint.spec.host},
        )

    def _note(self, endpoint: Endpoint, health: _Health, outcomes: Sequence[Outcome]) -> None:
        """A receiver is down when it took none of what was sent at once."""
        host = {"host": endpoint.spec.host}
        problems = [outcome.problem for outcome in outcomes if isinstance(outcome, Unavailable)]
        if len(problems) < len(outcomes):
            if health.failures:
                logger.info("the webhook is back", extra=host)
            health.failures, health.not_before = 0, 0.0
            return
        if not health.failures:
            logger.warning("the webhook cannot be reached, notices wait: %s", problems[0], extra=host)
        health.failures += 1
        health.not_before = self._chance.clock() + self._retries.pause(health.failures, self._chance.spread)


def new_holder() -> str:
    """A name for this process that no other has."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
