"""The report for programs: the keys are stable, docs/reports.md describes each."""

from typing import Any

from agent.journal import CallRecord
from agent.journal.outbox import NoticeRecord
from agent.report.facts import State
from agent.report.happenings import Happening
from agent.report.report import Report
from agent.report.reported_turn import ReportedTurn
from agent.turns import to_timestamp
from agent.usage.public import public_usage
from agent.webhook.events import turn_data

VERSION = 1


def report_data(report: Report) -> dict[str, Any]:
    """The whole report."""
    return {
        "version": VERSION,
        "call": call_data(report.call, report.state),
        "made_at": to_timestamp(report.made_at),
        "length_s": round(report.length_s, 3),
        "findings": [{"weight": finding.weight, "text": finding.text} for finding in report.findings],
        "summary": None if report.summary is None else report.summary.public(),
        "recording": None if report.recording is None else report.recording.data(),
        "turns": [_turn(turn) for turn in report.turns],
        "latency": [
            {
                "stage": stage.stage,
                "turns": stage.turns,
                "p50_ms": stage.p50_ms,
                "p95_ms": stage.p95_ms,
                "longest_ms": stage.longest_ms,
            }
            for stage in report.latency
        ],
        "interruptions": [
            {"turn": turn.turn.id, "at_s": round(turn.end_s, 3), "by": _id_of(report, turn.cut_by)}
            for turn in report.interruptions
        ],
        "fallbacks": [_happening(h) for h in report.happenings if h.kind == "fallback"],
        "errors": [_happening(h) for h in report.happenings if h.kind == "error"],
        "tools": [_happening(h) for h in report.happenings if h.kind == "tool"],
        "other_events": [_happening(h) for h in report.happenings if h.kind not in ("fallback", "error", "tool")],
        "delivery": {"turns": len(report.turns), "undelivered": report.undelivered},
        "webhook": [_notice(notice) for notice in report.notices],
        "usage": None if report.usage is None else public_usage(report.usage),
        "journal": {
            "failed": sum(_failures(h) for h in report.happenings if h.kind == "journal"),
        },
    }


def call_data(call: CallRecord, state: State) -> dict[str, Any]:
    """A call, as `calls --json` lists it too."""
    return {
        "id": call.id,
        "conversation_id": call.conversation_id,
        "room": call.room,
        "state": state,
        "started_at": to_timestamp(call.started_at),
        "ended_at": None if call.ended_at is None else to_timestamp(call.ended_at),
        "reason": call.reason,
    }


def _turn(reported: ReportedTurn) -> dict[str, Any]:
    return {
        **turn_data(reported.turn),
        "number": reported.number,
        "start_s": round(reported.start_s, 3),
        "end_s": round(reported.end_s, 3),
        "wait_ms": reported.wait_ms,
        "written_s": round(reported.written_s, 3),
        "delivered_s": None if reported.delivered_s is None else round(reported.delivered_s, 3),
        "seq": reported.turn.seq,
    }


def _happening(happening: Happening) -> dict[str, Any]:
    return {
        "at": to_timestamp(happening.at),
        "at_s": round(happening.offset_s, 3),
        "kind": happening.kind,
        "weight": happening.weight,
        "text": happening.text,
        "details": dict(happening.details),
    }


def _notice(notice: NoticeRecord) -> dict[str, Any]:
    return {
        "id": notice.id,
        "type": notice.kind,
        "queued_at": to_timestamp(notice.queued_at),
        "attempts": notice.attempts,
        "delivered_at": None if notice.delivered_at is None else to_timestamp(notice.delivered_at),
        "failed_at": None if notice.failed_at is None else to_timestamp(notice.failed_at),
        "problem": notice.problem,
    }


def _id_of(report: Report, number: int | None) -> str | None:
    return None if number is None else report.turns[number - 1].turn.id


def _failures(happening: Happening) -> int:
    failed = happening.details.get("failed", 0)
    return failed if isinstance(failed, int) else 0
