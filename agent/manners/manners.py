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

LOOK_EVERY_S = 0.2
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
        self._hurry = asyncio.Event()

    def hang_up(self, reason: str, goodbye: str) -> None:
        """End the call politely, as soon as what is being said is over.

        Args:
            reason: why.
            goodbye: what is said before; empty when it has been said.
        """
        self._leave = _Leave(reason, goodbye)
        self._hurry.set()

    async def run(self) -> None:
        """Look after the call until it ends, or until cancelled."""
        while not await self._look():
            try:
                await asyncio.wait_for(self._hurry.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue
            self._hurry.clear()

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
