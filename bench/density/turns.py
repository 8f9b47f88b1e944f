"""From what happened in the rooms to turns and their answers; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

# Whoever answers sooner has begun before the sentence had ended: the models alone take as long (stub_models.py).
SOONEST_MS = 600
# An answer that has not begun by then is missing.
PATIENCE_S = 8.0


@dataclass(frozen=True)
class Event:
    """Something that happened in a call: what, and when (seconds of CLOCK_MONOTONIC)."""

    event: str
    call: str
    at: float
    turn: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Turn:
    """One sentence of a caller.

    Attributes:
        call: whose.
        name: the recording.
        ended: when its last audible packet was sent.
        reply_ms: from then to the first audible packet of the answer; None when it was cut off or missed.
        cut_off: the agent was audible before the end, or so soon after it that it must have begun before.
        missed: no answer came.
    """

    call: str
    name: str
    ended: float
    reply_ms: float | None
    cut_off: bool
    missed: bool

    def to_row(self) -> dict[str, Any]:
        """The members by name, for JSON."""
        return asdict(self)


def turns_of(events: Sequence[Event]) -> list[Turn]:
    """Every turn that had its time to be answered, in the order of their ends.

    A turn whose patience is not over at the last event, and which has no answer yet, is left out: nobody knows.
    """
    if not events:
        return []
    until = max(event.at for event in events)
    found = []
    for call in dict.fromkeys(event.call for event in events):
        found += _of_call(call, [event for event in events if event.call == call], until)
    return sorted(found, key=lambda turn: turn.ended)


def first_audible(events: Iterable[Event], call: str, since: float) -> float | None:
    """When the agent of a call was audible first after a moment."""
    heard = (event.at for event in events if event.call == call and event.event == "agent_began" and event.at >= since)
    return min(heard, default=None)


def _of_call(call: str, events: Sequence[Event], until: float) -> list[Turn]:
    spoken = _spans(events, "agent_began", "agent_ended", until)
    began = sorted((event.at, event.turn) for event in events if event.event == "turn_began")
    turns = []
    for index, (start, name) in enumerate(began):
        end = min((e.at for e in events if e.event == "turn_ended" and e.turn == name and e.at >= start), default=None)
        if end is None:
            continue
        following = began[index + 1][0] if index + 1 < len(began) else until
        limit = min(end + PATIENCE_S, following)
        reply = min((at for at, _ in spoken if end <= at < limit), default=None)
        cut_off = any(at < end and last > start for at, last in spoken)
        cut_off = cut_off or (reply is not None and (reply - end) * 1000 < SOONEST_MS)
        if reply is None and not cut_off and limit == until:
            continue
        usable = reply is not None and not cut_off
        answered = round((reply - end) * 1000, 1) if reply is not None and usable else None
        turns.append(Turn(call, name, end, answered, cut_off, reply is None and not cut_off))
    return turns


def _spans(events: Sequence[Event], began: str, ended: str, until: float) -> list[tuple[float, float]]:
    """From each beginning to the end that follows it."""
    ends = sorted(event.at for event in events if event.event == ended)
    starts = sorted(event.at for event in events if event.event == began)
    return [(start, next((end for end in ends if end >= start), until)) for start in starts]
