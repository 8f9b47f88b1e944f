"""A turn with its place in the call: pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.journal import JournalEntry
from agent.turns import Speaker, Turn


@dataclass(frozen=True, slots=True)
class ReportedTurn:
    """A turn; moments are seconds after the call began.

    Attributes:
        number: counted from 1, in the order of the conversation.
        turn: the turn.
        start_s: when it began.
        end_s: when it was over.
        wait_ms: how long the caller waited for it, from the end of what it answers; None: it answers nothing, or
            another reply came first.
        cut_by: the number of the caller's turn that cut it.
        written_s: when it was in the journal.
        delivered_s: when the chat thread had acknowledged it; None: not yet.
    """

    number: int
    turn: Turn
    start_s: float
    end_s: float
    wait_ms: int | None
    cut_by: int | None
    written_s: float
    delivered_s: float | None

    @property
    def is_callers(self) -> bool:
        """Whether the caller said or typed it."""
        return self.turn.speaker is Speaker.USER


def reported_turns(entries: Sequence[JournalEntry], started_at: float) -> tuple[ReportedTurn, ...]:
    """The turns of a call.

    Args:
        entries: as the journal keeps them, in order.
        started_at: when the call began, in seconds since the epoch.
    """
    waits = _waits([entry.turn for entry in entries])
    return tuple(
        ReportedTurn(
            number=number,
            turn=entry.turn,
            start_s=max(0.0, entry.turn.started_at - started_at),
            end_s=max(0.0, entry.turn.ended_at - started_at),
            wait_ms=waits.get(entry.turn.id),
            cut_by=_cut_by(entries, number) if entry.turn.interrupted else None,
            written_s=entry.written_at - started_at,
            delivered_s=None if entry.delivered_at is None else entry.delivered_at - started_at,
        )
        for number, entry in enumerate(entries, 1)
    )


def _waits(turns: Sequence[Turn]) -> dict[str, int]:
    """How long the caller waited for each first reply, in milliseconds."""
    by_id = {turn.id: turn for turn in turns}
    answered: set[str] = set()
    waits: dict[str, int] = {}
    for turn in turns:
        question = by_id.get(turn.reply_to or "")
        if turn.speaker is Speaker.USER or question is None or question.id in answered:
            continue
        answered.add(question.id)
        if turn.started_at >= question.ended_at:
            waits[turn.id] = round((turn.started_at - question.ended_at) * 1000)
    return waits


def _cut_by(entries: Sequence[JournalEntry], number: int) -> int | None:
    later = enumerate(entries[number:], number + 1)
    return next((n for n, entry in later if entry.turn.speaker is Speaker.USER), None)
