"""The report of a call: everything that its readers are shown, worked out once. Pure."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from agent.journal import CallRecord, JournalEntry
from agent.journal.outbox import NoticeRecord
from agent.report.facts import Facts, State
from agent.report.findings import Finding, find
from agent.report.happenings import Happening, happenings
from agent.report.latency import StageLatency, latencies
from agent.report.recorded import Recorded, recorded
from agent.report.reported_turn import ReportedTurn, reported_turns
from agent.summary.summary import Summary
from agent.usage.entries import Usage, usage_of
from agent.usage.prices import PriceTable


@dataclass(frozen=True, slots=True)
class Report:
    """One call.

    Attributes:
        call: as the journal keeps it.
        state: whether it goes on.
        made_at: when the report was made, in seconds since the epoch.
        length_s: from its beginning to its end; of a call without an end, to the last thing that the journal knows.
        turns: in the order of the conversation.
        happenings: what else happened, in order.
        latency: by stage.
        usage: what the models used, and what that costs; None: the journal holds something that cannot be read.
        notices: what became of each notice to the webhook.
        summary: what a model made of the call, or why it could not; None: there is none (yet).
        recording: what became of it; None: there was to be none.
        findings: what there is to know first, the worst first.
    """

    call: CallRecord
    state: State
    made_at: float
    length_s: float
    turns: tuple[ReportedTurn, ...]
    happenings: tuple[Happening, ...]
    latency: tuple[StageLatency, ...]
    usage: Usage | None
    notices: tuple[NoticeRecord, ...]
    summary: Summary | None
    recording: Recorded | None
    findings: tuple[Finding, ...]

    @property
    def undelivered(self) -> int:
        """How many turns the chat thread has not acknowledged."""
        return sum(turn.delivered_s is None for turn in self.turns)

    @property
    def interruptions(self) -> tuple[ReportedTurn, ...]:
        """The replies that were cut."""
        return tuple(turn for turn in self.turns if turn.turn.interrupted)


def build_report(facts: Facts, prices: PriceTable, now: float | None = None) -> Report:
    """The report of a call.

    Args:
        facts: what the journal holds of it.
        prices: for costs that were not known when the call was made.
        now: seconds since the epoch, by default the present.
    """
    made_at = time.time() if now is None else now
    started_at = facts.call.started_at
    turns = reported_turns(facts.entries, started_at)
    told = happenings(facts.events, started_at)
    usage = _usage(facts, prices)
    recording = recorded(facts.events, started_at, facts.recording)
    length_s = max(0.0, (facts.call.ended_at or _last_sign(facts.entries, facts)) - started_at)
    return Report(
        call=facts.call,
        state=facts.state,
        made_at=made_at,
        length_s=length_s,
        turns=turns,
        happenings=told,
        latency=latencies(turn.turn for turn in turns),
        usage=usage,
        notices=tuple(facts.notices),
        summary=facts.summary,
        recording=recording,
        findings=find(facts, turns, told, usage, length_s, recording),
    )


def _usage(facts: Facts, prices: PriceTable) -> Usage | None:
    try:
        return usage_of(facts.events, prices)
    except (KeyError, TypeError, ValueError):
        return None


def _last_sign(entries: Sequence[JournalEntry], facts: Facts) -> float:
    times = [
        facts.call.started_at,
        *(entry.written_at for entry in entries),
        *(entry.turn.ended_at for entry in entries),
        *(event.at for event in facts.events),
    ]
    return max(times)
