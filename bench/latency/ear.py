"""Tells a contender a recording in a real room, and measures when its answer is heard.

The end of speech is the moment at which the last audible sample has left the sender: the time at which it was handed to
the audio source, and as long as the source's queue then was. The answer begins when the first 10 ms frame with a sample
above 500 of 32,767 arrives at the listener, decoded, in the same process, by the same clock. Both ends of the network
path are in it, as is the listener's jitter buffer; a sound card is not.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.clips import RATE, Clip
from bench.latency.turn import HeardTurn
from tests.support.caller import Caller, call

JOIN_TIMEOUT_S = 60.0
# Whoever greets has begun to by then.
GREETING_S = 5.0
# An answer that has not begun by then is missing.
PATIENCE_S = 8.0
# The slowest contender may answer so late after it has cut somebody off.
AFTER_CUT_OFF_S = 4.0
SILENT_S = 1.5
LONGEST_ANSWER_S = 60.0


class Ear:
    """One call with one contender; made by `listening`."""

    def __init__(self, contender: str, caller: Caller) -> None:
        self.contender = contender
        self.caller = caller

    async def tell(self, clip: Clip, soonest_ms: int) -> HeardTurn:
        """Play a clip, wait for the answer and for its end.

        Args:
            clip: what is played.
            soonest_ms: an answer that is heard sooner after the end was begun before it, and counts as cut off.
        """
        heard = self.caller.heard
        heard.frames.clear()  # the searches below begin at the beginning
        begun = time.monotonic()
        ended = await self.caller.say(clip.samples, RATE, clip.ends_at)
        early = heard.first_audible(begun)
        cut_off = early is not None and early < ended
        answered = await self._answer(ended, AFTER_CUT_OFF_S if cut_off else PATIENCE_S)
        cut_off = cut_off or (answered is not None and answered < ended + soonest_ms / 1000)
        if answered is not None or cut_off:
            await self.caller.until_agent_is_silent(SILENT_S, LONGEST_ANSWER_S)
        usable = answered is not None and not cut_off
        return HeardTurn(
            contender=self.contender,
            recording=clip.name,
            seconds=round(clip.ends_at, 2),
            pauses=tuple(round(pause.seconds, 2) for pause in clip.pauses),
            reply_ms=round((answered - ended) * 1000) if answered is not None and usable else None,
            cut_off=cut_off,
            missed=answered is None and not cut_off,
            replied_at=None if answered is None else time.time() - (time.monotonic() - answered),
        )

    async def until_greeted(self) -> None:
        """Wait until the contender is there, and until it has said what it says by itself."""
        await self.caller.until_agent_is_there(JOIN_TIMEOUT_S)
        if await self._answer(0.0, GREETING_S) is not None:
            await self.caller.until_agent_is_silent(SILENT_S, LONGEST_ANSWER_S)

    async def _answer(self, since: float, patience_s: float) -> float | None:
        try:
            return await self.caller.until_agent_speaks(since, patience_s)
        except TimeoutError:
            return None


@asynccontextmanager
async def listening(contender: str, url: str, token: str) -> AsyncIterator[Ear]:
    """Join a contender's room as a person would, and hang up at the end."""
    async with call(url, token) as caller:
        yield Ear(contender, caller)
