"""Taking leave: the user's question is answered first, the goodbye is heard to its end, and then the call ends."""

import asyncio
import logging
import time
from collections.abc import Callable

from livekit.agents import AgentSession
from livekit.agents.voice import SpeechHandle

from agent.manners.activity import Activity, Clock

logger = logging.getLogger("agent.manners")

LOOK_EVERY_S = 0.1
# So long (seconds) a user who goes on asking is answered.
PATIENCE_S = 30.0
# A goodbye that is not over by then, the answer before it included, is never going to be.
LONGEST_GOODBYE_S = 60.0
# What has left here is heard at the other end so many seconds later, on a bad connection too.
ON_ITS_WAY_S = 0.8
MOST_GOODBYES = 2


class Farewell:
    """Takes leave in one call.

    Args:
        session: says the goodbye.
        activity: knows what goes on.
        end: ends the call, for a reason.
        clock: seconds, never going back.
        patience_s: how long open questions are answered before the call ends all the same.
    """

    def __init__(
        self,
        session: AgentSession[None],
        activity: Activity,
        end: Callable[[str], None],
        clock: Clock = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._session = session
        self._activity = activity
        self._end = end
        self._clock = clock
        self._patience_s = patience_s

    async def take(self, reason: str, goodbye: str, *, firm: bool) -> bool:
        """Say goodbye and end the call; False when it goes on, because the user did something.

        Args:
            reason: why the call ends.
            goodbye: what is said; empty when it has been said already.
            firm: the call ends whatever the user does: what they ask is answered, and then it ends.
        """
        until = self._clock() + self._patience_s
        for _ in range(MOST_GOODBYES):
            await self._answer_first(until)
            began = self._clock()
            try:
                heard = not goodbye or await self._say(goodbye, interruptible=not firm)
            except RuntimeError:
                return True  # the session is closing: somebody else ends the call
            await asyncio.sleep(ON_ITS_WAY_S)
            if not firm and (self._activity.user_acted_at > began or self._activity.question_open):
                return False
            if heard and not self._activity.question_open:
                break
        self._end(reason)
        return True

    async def _answer_first(self, until: float) -> None:
        """Wait until nobody speaks and nothing is unanswered, but no longer than until then."""
        while self._activity.busy:
            if self._clock() >= until:
                logger.warning("the call ends although a question is open")
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _say(self, goodbye: str, *, interruptible: bool) -> bool:
        """Say it after what is being said; returns whether it was heard to its end."""
        handle: SpeechHandle = self._session.say(goodbye, allow_interruptions=interruptible)
        try:
            await asyncio.wait_for(handle.wait_for_playout(), LONGEST_GOODBYE_S)
        except TimeoutError:
            logger.warning("the goodbye takes too long, the call ends without it")
            return True
        return not handle.interrupted
