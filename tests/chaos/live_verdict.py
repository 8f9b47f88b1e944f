"""What came of a run under live calls. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from agent.leases.lease import STEADY_S
from agent.phrases import Phrase, say
from agent.worker.takeover import MOST_TAKEOVERS
from tests.chaos.live_plan import Victim
from tests.chaos.verdict import ThreadRecord, Verdict, judge

# From the death of an agent until the next one has the room, at most.
TAKEOVER_S = 10.0
# What is typed so shortly before an agent dies may not have reached it.
IN_FLIGHT_S = 3.0


@dataclass
class Gap:
    """A time without an agent, as the person in the room has it.

    Args:
        victim: what was killed.
        began: when (seconds, monotonic).
        lost: the identity of the agent that was there; empty when the same one may come back.
        ended: when somebody spoke again, or after a restart of livekit-server when an agent was in the room again;
            None when that never happened.
    """

    victim: Victim
    began: float
    lost: str = ""
    ended: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long it was."""
        return None if self.ended is None else self.ended - self.began


@dataclass(frozen=True)
class Typed:
    """A message that a person typed into the room."""

    text: str
    at: float


@dataclass
class CallLog:
    """One call as the person had it.

    Args:
        conversation: its conversation.
        typed: what was typed, each text once.
        gaps: the times without an agent.
        crowded: how often more than one agent was seen in the room.
        given_up: whether the room was closed on the person.
        losses: when agents died in it (seconds, monotonic).
    """

    conversation: str
    typed: list[Typed] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    crowded: int = 0
    given_up: bool = False
    losses: list[float] = field(default_factory=list)

    @property
    def given_up_rightly(self) -> bool:
        """Whether it was closed as it must be: more agents died than are taken over in a row, none of them steady."""
        in_a_row = self.losses[-MOST_TAKEOVERS - 1 :]
        steady = (after - before > STEADY_S + TAKEOVER_S for before, after in pairwise(in_a_row))
        return self.given_up and len(in_a_row) > MOST_TAKEOVERS and not any(steady)


@dataclass(frozen=True)
class Texts:
    """The words of a conversation's turns, by id and in order, in the journal and in the thread."""

    journal: Sequence[tuple[str, str]]
    thread: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class LiveResult:
    """A run.

    Args:
        seed, minutes: what was done.
        calls: each call.
        verdict: turns lost, repeated or out of order; `not durable` are those typed while an agent was there that the
            journal has not, though no agent died just then.
        in_flight: messages that were typed as an agent died, and did not reach it.
        undelivered: turns that the thread had not when the run was given up.
        speechless: how often an agent could only say that it cannot think.
        silent: how many calls were given up without a word of it in the thread.
    """

    seed: int
    minutes: float
    calls: Sequence[CallLog]
    verdict: Verdict
    in_flight: int
    undelivered: int
    speechless: int
    silent: int

    def gaps(self, victim: Victim) -> list[Gap]:
        """The times without an agent after one kind of fault."""
        return [gap for call in self.calls for gap in call.gaps if gap.victim is victim]

    @property
    def problems(self) -> dict[str, int]:
        """How much there is of everything that must not be."""
        return {
            **{name: len(found) for name, found in self.verdict.problems().items()},
            "undelivered": self.undelivered,
            "could not think": self.speechless,
            "never an agent again": sum(
                gap.ended is None for call in self.calls if not call.given_up_rightly for gap in call.gaps
            ),
            "two agents in a room": sum(call.crowded for call in self.calls),
            "given up in silence": self.silent,
            "given up too early": sum(call.given_up and not call.given_up_rightly for call in self.calls),
        }

    @property
    def good(self) -> bool:
        """Whether nothing of it is."""
        return not any(self.problems.values())

    def to_json(self) -> dict[str, Any]:
        """For other programs."""
        return {
            "seed": self.seed,
            "minutes": self.minutes,
            "calls": len(self.calls),
            "turns": self.verdict.turns,
            "good": self.good,
            "without_agent_s": {victim.name.lower(): spread(self.gaps(victim)) for victim in Victim},
            "in_flight": self.in_flight,
            "given_up_rightly": sum(call.given_up_rightly for call in self.calls),
            **{name.replace(" ", "_"): count for name, count in self.problems.items()},
        }


def count_speechless(texts: dict[str, Texts]) -> int:
    """How often an agent could only say that it cannot think."""
    excuse = say(Phrase.CANNOT_THINK, "en")
    return sum(text == excuse for found in texts.values() for _, text in found.journal)


def count_silent(calls: Sequence[CallLog], texts: dict[str, Texts]) -> int:
    """How many calls were given up without a word of it in the thread."""
    notice = say(Phrase.GIVEN_UP, "en")
    return sum(call.given_up and notice not in dict(texts[call.conversation].thread).values() for call in calls)


def spread(gaps: Sequence[Gap]) -> dict[str, float]:
    """How many there were, and in seconds the middle and the worst."""
    seconds = [gap.seconds for gap in gaps if gap.seconds is not None]
    if not seconds:
        return {"count": len(gaps)}
    return {"count": len(gaps), "p50": round(statistics.median(seconds), 2), "worst": round(max(seconds), 2)}


def judge_live(calls: Sequence[CallLog], texts: dict[str, Texts]) -> tuple[Verdict, int]:
    """Compare what the journal has with the thread, and both with what was typed; also how much was in flight."""
    records = []
    missing: list[str] = []
    repeated: list[str] = []
    in_flight = 0
    for call in calls:
        found = texts[call.conversation]
        ids = [turn_id for turn_id, _ in found.journal]
        records.append(ThreadRecord(call.conversation, ids, ids, [turn_id for turn_id, _ in found.thread]))
        durable = [text for _, text in found.journal]
        for typed in call.typed:
            if durable.count(typed.text) > 1:
                repeated.append(f"{call.conversation}: {typed.text}")
            elif typed.text not in durable:
                if any(_covers(gap, typed.at) for gap in call.gaps):
                    in_flight += 1
                else:
                    missing.append(f"{call.conversation}: {typed.text}")
    verdict = judge(records, [])
    verdict.not_durable += missing
    verdict.repeated += repeated
    return verdict, in_flight


def _covers(gap: Gap, at: float) -> bool:
    return gap.began - IN_FLIGHT_S <= at and (gap.ended is None or at <= gap.ended)
