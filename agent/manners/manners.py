"""The manners of one call: what the agent does by itself, because nobody speaks or because a limit is reached."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from livekit.agents import AgentSession

from agent.job.spec import Limits, Silence
from agent.manners.activity import Activity, Clock
from agent.manners.farewell import Farewell
from agent.manners.limits import LimitPolicy, LimitStep, Spent
from agent.manners.silence import SilencePolicy, SilenceStep
from agent.phrases import Phrase

# It is looked when something is due by time and when something changes; and so often, for what nobody tells of: a bill
# that grows, a tool that is done, somebody who comes back.
LOOK_EVERY_S = 1.0
# And so soon after a change, since what ends is often not quite over when it is told.
LOOK_AGAIN_S = 0.2
# A timer may be early by a rounding.
SHORTEST_WAIT_S = 0.01
SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class _Leave:
    """The language model wants to end the call."""

    reason: str
    goodbye: str


class Manners:
    """Looks after one call.

    Args:
        session: says what is to be said.
        activity: knows what goes on.
        farewell: ends the call.
        silence: what is done about silence.
        limits: how far the call may go.
        cost: what its models cost so far; None while that is not known.
        words: the agent's own sentences, in the language of the moment.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        session: AgentSession[None],
        activity: Activity,
        farewell: Farewell,
        silence: Silence,
        limits: Limits,
        cost: Callable[[], Decimal | None],
        words: Callable[[Phrase], str],
        clock: Clock = time.monotonic,
    ) -> None:
        self._session = session
        self._activity = activity
        self._farewell = farewell
        self._cost = cost
        self._words = words
        self._clock = clock
        self._began = clock()
        self._silence = SilencePolicy(silence, self._began)
        self._limits = LimitPolicy(limits)
        self._leave: _Leave | None = None
        self._changed = asyncio.Event()
        activity.on_change = self._changed.set

    def hang_up(self, reason: str, goodbye: str) -> None:
        """End the call politely, as soon as what is being said is over.

        Args:
            reason: why.
            goodbye: what is said before; empty when it has been said.
        """
        self._leave = _Leave(reason, goodbye)
        self._changed.set()

    async def run(self) -> None:
        """Look after the call until it ends, or until cancelled."""
        at_most = LOOK_EVERY_S
        while not await self._look():
            try:
                async with asyncio.timeout(self._wait_s(at_most)):
                    await self._changed.wait()
            except TimeoutError:
                at_most = LOOK_EVERY_S
            else:
                self._changed.clear()
                at_most = LOOK_AGAIN_S

    def _wait_s(self, at_most: float) -> float:
        """Until something is due by time, but no longer than so many seconds."""
        now = self._clock()
        moments = (self._silence.due_at, *(self._began + seconds for seconds in self._limits.moments))
        return max(SHORTEST_WAIT_S, min([at_most, *(at - now for at in moments if at > now)]))

    async def _look(self) -> bool:
        """Do what is due; returns whether the call is over."""
        self._note_activity()
        if self._leave is not None:
            leave, self._leave = self._leave, None
            return await self._farewell.take(leave.reason, leave.goodbye, firm=False)
        spent = Spent(self._clock() - self._began, self._activity.turns, self._cost())
        if (limit := self._limits.reached(spent)) is not None:
            return await self._farewell.take(limit.value, self._words(Phrase.OUT_OF_TIME), firm=True)
        if self._activity.busy:
            return False
        if self._limits.step(spent) is LimitStep.ANNOUNCE:
            self._say(Phrase.ENDING_SOON)
            return False
        match self._silence.step(self._clock()):
            case SilenceStep.ASK:
                self._say(Phrase.STILL_THERE)
            case SilenceStep.LEAVE:
                return await self._farewell.take(SILENCE, self._words(Phrase.NOBODY_THERE), firm=False)
            case SilenceStep.WAIT:
                pass
        return False

    def _note_activity(self) -> None:
        self._silence.user_acted(self._activity.user_acted_at)
        self._silence.stirred(self._clock() if self._activity.busy else self._activity.stirred_at)

    def _say(self, phrase: Phrase) -> None:
        try:
            self._session.say(self._words(phrase))
        except RuntimeError:
            return  # the session is closing
