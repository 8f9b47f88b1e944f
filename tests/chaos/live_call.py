"""One person in a call: types and speaks, and notes the times without an agent."""

import asyncio
import random
import time

from livekit import rtc

from tests.chaos.live_plan import Victim
from tests.chaos.live_verdict import CallLog, Gap, Typed
from tests.support.caller import Caller
from tests.support.recordings import SPOKEN

LOOK_EVERY_S = 0.02
HANGING_S = 120.0
SHORTEST_REST_S, LONGEST_REST_S = 3.0, 7.0
SAID = [recording for recording in SPOKEN.values() if recording.is_understood and recording.seconds < 5.0]
WORDS = ("apple", "boat", "cloud", "door", "eagle", "fish", "garden", "house", "island", "jacket", "kettle", "lamp")


class LiveCall:
    """One call.

    Args:
        caller: the person.
        log: what is noted.
        chance: decides what is said.
    """

    def __init__(self, caller: Caller, log: CallLog, chance: random.Random) -> None:
        self.log = log
        self._caller = caller
        self._chance = chance
        self._gone = asyncio.Event()
        self._together = 0
        caller.room.on("disconnected", self._on_disconnected)

    @property
    def agents(self) -> list[str]:
        """The agents in the room, as the person sees them."""
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        return [p.identity for p in self._caller.room.remote_participants.values() if p.kind == kind]

    @property
    def has_agent(self) -> bool:
        """Whether one is there, and none is missed."""
        return bool(self.agents) and self._open_gap is None

    def lose_agent(self, victim: Victim, lost: str) -> None:
        """The agent was killed just now, or the server under both; while one is missed that counts as the same gap."""
        if lost:
            self.log.losses.append(time.monotonic())
        if self._open_gap is None:
            self.log.gaps.append(Gap(victim, time.monotonic(), lost))
        elif lost:
            self._open_gap.lost = lost

    async def go_on_until(self, until: float) -> None:
        """Talk until a moment (seconds, monotonic), and then until nobody is missed."""
        watching = asyncio.create_task(self._watch())
        gone = asyncio.create_task(self._gone.wait())
        talking = asyncio.create_task(self._talk(until))
        try:
            await asyncio.wait({gone, talking, watching}, return_when=asyncio.FIRST_COMPLETED)
            for ended in (talking, watching):
                if ended.done():
                    ended.result()
            self.log.given_up = gone.done()
        finally:
            for task in (gone, talking, watching):
                task.cancel()
            await asyncio.gather(gone, talking, watching, return_exceptions=True)

    async def _talk(self, until: float) -> None:
        number = 0
        while time.monotonic() < until:
            await asyncio.sleep(self._chance.uniform(SHORTEST_REST_S, LONGEST_REST_S))
            if not self.has_agent:
                continue
            number += 1
            if number % 2:
                words = " ".join(self._chance.choices(WORDS, k=6))
                self.log.typed.append(Typed(f"{words} {number}", time.monotonic()))
                await self._type(self.log.typed[-1].text)
            else:
                await self._caller.say(*self._chance.choice(SAID).load())
        waited_since = time.monotonic()
        while self._open_gap is not None and time.monotonic() - waited_since < HANGING_S:
            await asyncio.sleep(LOOK_EVERY_S)
        await self._caller.until_agent_is_silent(timeout=HANGING_S)

    async def _type(self, text: str) -> None:
        try:
            async with asyncio.timeout(HANGING_S):
                await self._caller.send_text(text)
        except (rtc.StreamError, TimeoutError):
            if self._open_gap is None:  # else the connection broke under it
                raise

    async def _watch(self) -> None:
        while True:
            present = self.agents
            self._together = self._together + 1 if len(present) > 1 else 0
            if self._together == int(1.0 / LOOK_EVERY_S):  # one that leaves may be seen a moment longer
                self.log.crowded += 1
            if (gap := self._open_gap) is not None and self._is_over(gap, present):
                gap.ended = time.monotonic()
            await asyncio.sleep(LOOK_EVERY_S)

    def _is_over(self, gap: Gap, present: list[str]) -> bool:
        if not self._caller.room.isconnected() or not present or gap.lost in present:
            return False
        if not gap.lost:
            return time.monotonic() - gap.began > 1.0  # by then the end of the connection is noticed
        return self._caller.heard.first_audible(self._since(gap)) is not None

    def _since(self, gap: Gap) -> float:
        """What arrives right after the kill was on its way before."""
        return gap.began + 0.3

    @property
    def _open_gap(self) -> Gap | None:
        return self.log.gaps[-1] if self.log.gaps and self.log.gaps[-1].ended is None else None

    def _on_disconnected(self, *_: object) -> None:
        self._gone.set()
