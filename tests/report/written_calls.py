"""Calls for the tests of the report, written into a real journal: all went well in one, nothing in the other."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from agent.aftercare.plan import Plan
from agent.journal import Aftercare, CallEvent, CallRecord, Notice, SqliteJournal
from agent.journal.opening import FILE_NAME
from agent.journal.records import Detail
from agent.recording.events import KIND as RECORDING
from agent.summary.summary import Summary
from agent.turns import Channel, Latency, Speaker, Turn
from agent.usage.cost import Cost
from agent.usage.entries import usage_event
from agent.usage.measure import Amounts, ModelKey, Stage

STARTED = 1_764_000_000.0
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> \x1b[31mred\x1b]0;owned\x07 \u202egnirts esrever\u202c "
    "\"quoted\" 'single' & [bold]markup[/bold] </style></title> {{x}} \x00"
)


@dataclass
class Line:
    """A turn of a written call; times are seconds after the call began."""

    speaker: Speaker
    start: float
    end: float
    text: str
    channel: Channel = Channel.VOICE
    interrupted: bool = False
    delivered: bool = True
    latency: Latency = field(default_factory=Latency)
    replies: bool = True


U, A = Speaker.USER, Speaker.ASSISTANT


def spoken(total: int, first: int = 210) -> Latency:
    return Latency(110, 180, 250, 2, first, 90, total)


GOOD_LINES = (
    Line(A, 0.4, 3.1, "Hello! This is the front desk. How can I help you?", replies=False),
    Line(U, 4.0, 7.2, "I would like to move my lesson from Tuesday to Thursday."),
    Line(A, 7.8, 11.0, "Thursday is free at four and at five. Which one do you prefer?", latency=spoken(590)),
    Line(U, 11.6, 12.3, "Five, please."),
    Line(A, 12.9, 16.4, "Done: your lesson is now on Thursday at five. Anything else?", latency=spoken(610)),
    Line(U, 18.2, 18.2, "My new address is 7 Market Street, please note it down.", Channel.CHAT),
    Line(A, 19.0, 21.4, "I have noted seven Market Street.", latency=spoken(800, 300)),
    Line(U, 22.1, 23.6, "Thank you, that is all. Goodbye."),
    Line(A, 24.2, 25.3, "Goodbye!", latency=spoken(560)),
)
BAD_LINES = (
    Line(A, 0.5, 6.9, "Good morning, you have reached the clinic, all our lines are recorded and",
         interrupted=True, replies=False),
    Line(U, 6.2, 9.4, "Sorry, I need an appointment today, my daughter has a fever."),
    Line(A, 13.9, 17.2, "I am sorry to hear that. Let me look for a free",
         interrupted=True, latency=spoken(4_480, 3_900)),
    Line(U, 16.9, 18.8, "She is four years old."),
    Line(A, 20.0, 24.1, "I could not reach the calendar. I will try it again.", latency=spoken(1_180), delivered=False),
    Line(U, 27.0, 27.0, HOSTILE, Channel.CHAT),
    Line(A, 29.3, 31.0, "I am still trying to book it.", latency=spoken(2_260), delivered=False),
    Line(U, 62.0, 65.5, "Hello? Is anybody still there? I really need that appointment.", delivered=False),
)  # fmt: skip
GOOD_RECORDING: tuple[tuple[float, Mapping[str, Detail]], ...] = (
    (0.3, {"status": "started", "keep_days": 7}),
    (18.0, {"status": "paused", "why": "sensitive_input"}),
    (19.5, {"status": "resumed", "why": "sensitive_input"}),
    (25.9, {"status": "ended", "seconds": 25.6, "paused_seconds": 1.5, "size": 120_000}),
)
BAD_EVENTS: tuple[tuple[float, str, Mapping[str, Detail]], ...] = (
    (9.9, "error", {"stage": "llm", "model": "openai/gpt-4.1-mini", "why": "timeout"}),
    (9.9, "fallback", {"stage": "llm", "from": "openai/gpt-4.1-mini", "to": "groq/llama-3.3-70b", "why": "timeout"}),
    (12.0, "error", {"stage": "tts", "model": "openai/gpt-4o-mini-tts", "why": "status 503"}),
    (19.0, "tool", {"key": "k1", "tool": "calendar", "status": "started"}),
    (19.8, "tool", {"key": "k1", "tool": "calendar", "status": "timeout", "duration_ms": 800}),
    (28.0, "tool", {"key": "k2", "tool": "book_appointment", "status": "started"}),
    (58.0, "journal", {"failed": 3}),
    (66.0, "error", {"stage": "llm", "model": "all", "why": "unreachable"}),
)  # fmt: skip


def turns_of(call_id: str, lines: Iterable[Line]) -> list[tuple[Line, Turn]]:
    """The turns; each reply answers the caller's latest turn before it."""
    made: list[tuple[Line, Turn]] = []
    question: str | None = None
    for number, line in enumerate(lines, 1):
        turn = Turn(
            id=f"{call_id}_t{number}",
            conversation_id=f"conversation_{call_id}",
            speaker=line.speaker,
            channel=line.channel,
            text=line.text,
            started_at=STARTED + line.start,
            ended_at=STARTED + line.end,
            call_id=call_id,
            interrupted=line.interrupted,
            reply_to=question if line.speaker is A and line.replies else None,
            latency=line.latency,
        )
        question = turn.id if line.speaker is U else question
        made.append((line, turn))
    return made


async def write_good_call(folder: Path, call_id: str = "AJ_good") -> None:
    """A call of half a minute: booked, summed up, told."""
    with SqliteJournal(folder / FILE_NAME) as journal:
        await _begin(journal, call_id)
        await _write_turns(journal, call_id, GOOD_LINES)
        thinking = Amounts(requests=5, cancelled=1, input_tokens=4_120, cached_input_tokens=1_024, output_tokens=131)
        await _use(journal, call_id, ModelKey(Stage.THINKING, "openai/gpt-4.1-mini"), thinking, "0.0015506")
        hearing = Amounts(requests=9, unreported=9, audio_seconds=21.4)
        await _use(journal, call_id, ModelKey(Stage.HEARING, "local/moonshine-tiny-en"), hearing, "0")
        speaking = Amounts(requests=5, unreported=5, characters=231, audio_seconds=14.1)
        await _use(journal, call_id, ModelKey(Stage.SPEAKING, "local/hibari"), speaking, "0")
        for at, details in GOOD_RECORDING:
            await journal.record(CallEvent(call_id, STARTED + at, RECORDING, details))
        outcome = {"wish": "move a lesson", "day": "Thursday", "hour": 17, "address": "7 Market Street"}
        text = "The caller moved a lesson from Tuesday to Thursday at five and gave a new address, 7 Market Street."
        made = Summary(STARTED + 29, "openai/gpt-4.1-mini", text, outcome)
        await journal.outbox.keep_summary(call_id, made.to_json())
        await journal.call_ended(call_id, "hung up")
        await journal.outbox.settle(call_id, STARTED + 29, _notice(call_id, "call.ended", 99))
        for record in await journal.outbox.notices_of_call(call_id):
            await journal.outbox.delivered(record.id, STARTED + 30)
    _set_times(folder, call_id, ended_at=STARTED + 26.0)


async def write_bad_call(folder: Path, call_id: str = "AJ_bad") -> None:
    """Interrupted, slow, with failing models, tools, journal, chat and webhook; its process was killed."""
    with SqliteJournal(folder / FILE_NAME) as journal:
        await _begin(journal, call_id)
        await _write_turns(journal, call_id, BAD_LINES)
        for at, kind, details in BAD_EVENTS:
            await journal.record(CallEvent(call_id, STARTED + at, kind, details))
        thinking = Amounts(requests=4, unreported=2, input_tokens=2_050, output_tokens=80)
        await _use(journal, call_id, ModelKey(Stage.THINKING, "groq/llama-3.3-70b"), thinking, None)
        hearing = Amounts(requests=7, unreported=7, audio_seconds=18.0)
        await _use(journal, call_id, ModelKey(Stage.HEARING, "local/moonshine-tiny-en"), hearing, "0")
        failed = Summary(STARTED + 75, "groq/llama-3.3-70b", problem="the model did not answer within 30 s")
        await journal.outbox.keep_summary(call_id, failed.to_json())
        await journal.outbox.settle(call_id, STARTED + 75, _notice(call_id, "call.ended", 99))
        first, second, *_ = await journal.outbox.notices_of_call(call_id)
        await journal.outbox.delivered(first.id, STARTED + 1)
        await journal.outbox.failed(second.id, STARTED + 9, "answered 404, 3 times")
    _set_times(folder, call_id, ended_at=None)


async def _begin(journal: SqliteJournal, call_id: str) -> None:
    record = CallRecord(call_id, f"conversation_{call_id}", f"room_{call_id}", STARTED)
    await journal.call_started(
        record, Aftercare(Plan().model_dump_json(), "settings"), _notice(call_id, "call.started", 0)
    )


async def _write_turns(journal: SqliteJournal, call_id: str, lines: Iterable[Line]) -> None:
    for number, (line, turn) in enumerate(turns_of(call_id, lines), 1):
        await journal.append(turn, notice=_notice(call_id, "turn", number))
        if line.delivered:
            await journal.mark_delivered(turn.id, number + 40)


async def _use(journal: SqliteJournal, call_id: str, key: ModelKey, amounts: Amounts, cost: str | None) -> None:
    known = Cost(None, why="no price") if cost is None else Cost(Decimal(cost))
    await journal.record(usage_event(call_id, STARTED + 25, key, amounts, known, "USD"))


def _notice(call_id: str, kind: str, number: int) -> Notice:
    return Notice(f"evt_{call_id}_{number}", call_id, kind, STARTED + number, "{}")


def _set_times(folder: Path, call_id: str, ended_at: float | None) -> None:
    """As if it had been written at the time that it tells of, by a process that is gone."""
    with sqlite3.connect(folder / FILE_NAME) as db:
        db.execute(
            "UPDATE turns SET written_at = json_extract(turn, '$.ended_at') + 0.02,"
            " delivered_at = CASE WHEN delivered_at IS NULL THEN NULL"
            " ELSE json_extract(turn, '$.ended_at') + 0.05 END WHERE call_id = ?",
            (call_id,),
        )
        db.execute("UPDATE calls SET ended_at = ? WHERE id = ?", (ended_at, call_id))
        db.execute("DELETE FROM call_processes WHERE call_id = ?", (call_id,))
        db.execute("UPDATE notices SET queued_at = at, due_at = at WHERE call_id = ?", (call_id,))
