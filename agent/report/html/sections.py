"""The parts of the page but for the drawing and the thread."""

import base64
import json
from collections.abc import Iterable

from agent.journal.outbox import NoticeRecord
from agent.recording.events import Status
from agent.report.facts import State
from agent.report.happenings import STAGES, Weight
from agent.report.html.markup import Child, Markup, join, percent, tag
from agent.report.recorded import Recorded
from agent.report.report import Report
from agent.report.terminal import cost_words
from agent.report.wording import clock, count, duration, milliseconds, moment
from agent.summary.summary import Summary
from agent.turns import Channel, to_timestamp
from agent.usage.entries import Usage
from agent.usage.measure import ModelKey, Purpose

WARNED = "warning-text"
SIGNS = {Weight.BAD: "Problem", Weight.WARNING: "Warning", Weight.NOTE: "Note", Weight.GOOD: "Well"}
STATES = {State.ENDED: "ended", State.RUNNING: "goes on", State.LOST: "lost: it has no end"}


def section(title: str, name: str, *content: Child) -> Markup:
    """A part of the page with its heading."""
    heading = tag("h2", title, id=f"{name}-title")
    return tag("section", heading, *content, id=name, aria_labelledby=f"{name}-title")


def head(report: Report) -> Markup:
    """Which call it is, and its figures."""
    call = report.call
    state = STATES[report.state] + (f": {call.reason}" if call.reason else "")
    began = tag("time", moment(call.started_at), datetime=to_timestamp(call.started_at))
    about = tag("p", began, tag("span", state, class_=f"state {report.state}"), class_="about")
    ids = tag(
        "dl",
        *(
            tag("div", tag("dt", name), tag("dd", value))
            for name, value in (("call", call.id), ("conversation", call.conversation_id), ("room", call.room))
        ),
        class_="ids",
    )
    return join(tag("h1", "Report of a call"), about, ids, _figures(report))


def _figures(report: Report) -> Markup:
    waits = sorted(turn.wait_ms for turn in report.turns if turn.wait_ms is not None)
    median = milliseconds(waits[(len(waits) - 1) // 2]) if waits else "–"
    delivered = len(report.turns) - report.undelivered
    usage = report.usage
    cost = cost_words(usage.bill.total, usage.bill.currency) if usage is not None else "not known"
    figures = (
        ("length", duration(report.length_s), False),
        ("turns", f"{len(report.turns):,}", False),
        ("median wait", median, False),
        ("cut off", f"{len(report.interruptions):,}", False),
        ("in the thread", f"{delivered:,} of {len(report.turns):,}", report.undelivered > 0),
        ("cost", cost, False),
    )
    tiles = (
        tag("div", tag("dt", name), tag("dd", value), class_="figure warning" if bad else "figure")
        for name, value, bad in figures
    )
    return tag("dl", *tiles, class_="figures")


def findings(report: Report) -> Markup:
    """What there is to know first."""
    lines = (
        tag("li", tag("span", SIGNS[f.weight], class_="weight"), tag("span", f.text, dir="auto"), class_=str(f.weight))
        for f in report.findings
    )
    return tag("ul", *lines, class_="findings")


def summary(made: Summary) -> Markup:
    """What a model made of the call, marked as such."""
    if made.problem:
        return tag("p", f"No summary could be made by {made.model}: {made.problem}.", class_=WARNED, dir="auto")
    parts: list[Markup] = [tag("p", made.text, dir="auto", class_="words")]
    if made.outcome is not None:
        rows = (
            tag("div", tag("dt", name), tag("dd", _shown(value), dir="auto")) for name, value in made.outcome.items()
        )
        parts.append(tag("dl", *rows, class_="outcome"))
    parts.append(tag("p", f"Made by a model ({made.model}), {moment(made.at)}. It may be wrong.", class_="dim"))
    return join(*parts)


def recording(recorded: Recorded, sound: bytes | None) -> Markup:
    """What became of the recording, and the recording itself where it is given."""
    words = tag("p", recorded.sentence, class_=None if recorded.status in (Status.ENDED, Status.STARTED) else WARNED)
    if sound is not None:
        data = f"data:audio/ogg;base64,{base64.b64encode(sound).decode()}"
        name = "The recording: the caller on the left, the assistant on the right"
        return join(words, tag("audio", controls=True, preload="metadata", src=data, aria_label=name))
    where = "It is not there any more." if recorded.file is None else f"It is in {recorded.file}."
    return join(words, tag("p", where, class_="dim") if recorded.start_s is not None else None)


def legend() -> Markup:
    """What the drawing shows."""
    keys = (
        ("caller", "caller"),
        ("assistant", "assistant"),
        ("wait", "what the caller waited"),
        ("cut", "cut off"),
        ("undelivered", "not in the chat thread"),
        ("error", "error or event"),
    )
    items = (tag("li", tag("i", class_=f"key {key}", aria_hidden="true"), words) for key, words in keys)
    hint = tag(
        "p",
        "Each stroke is a letter of what was said. Point at a turn, or move with the Tab key, to read it.",
        class_="dim hint",
    )
    return join(tag("ul", *items, class_="legend"), hint)


def timeline_table(report: Report) -> Markup:
    """The drawing as a table."""
    rows = [
        (
            clock(turn.start_s),
            clock(turn.end_s),
            "caller" if turn.is_callers else "assistant",
            _how(turn.turn.channel, cut=turn.turn.interrupted),
            milliseconds(turn.wait_ms) if turn.wait_ms is not None else "",
            tag("span", turn.turn.text, dir="auto"),
        )
        for turn in report.turns
    ]
    columns = ("from", "to", "who", "how", "waited", "words")
    return tag("details", tag("summary", "The time line as a table"), table(columns, rows, numbers=(0, 1, 4)))


def _how(channel: Channel, *, cut: bool) -> str:
    how = "spoken" if channel is Channel.VOICE else "typed"
    return f"{how}, cut off" if cut else how


def events(report: Report) -> Markup:
    """Errors, fallbacks, tools and what else happened."""
    lines = (
        tag(
            "li",
            tag("time", clock(h.offset_s), datetime=to_timestamp(h.at)),
            tag("span", SIGNS[h.weight], class_="weight"),
            tag("span", h.text, dir="auto"),
            id=f"event-{h.number}",
            class_=str(h.weight),
        )
        for h in report.happenings
    )
    return tag("ol", *lines, class_="findings events")


def latency(report: Report) -> Markup:
    """Each stage, with its median drawn against the longest of all."""
    longest = max(stage.longest_ms for stage in report.latency) or 1
    rows = []
    for stage in report.latency:
        bars = (
            tag("rect", x=0, y=6, height=8, rx=4, width=percent(stage.longest_ms / longest), class_="longest"),
            tag("rect", x=0, y=6, height=8, rx=4, width=percent(stage.p95_ms / longest), class_="p95"),
            tag("rect", x=0, y=6, height=8, rx=4, width=percent(stage.p50_ms / longest), class_="p50"),
        )
        drawing = tag("svg", *bars, width="100%", height=20, aria_hidden="true", class_="bars")
        times = (milliseconds(value) for value in (stage.p50_ms, stage.p95_ms, stage.longest_ms))
        rows.append((stage.name, drawing, *times, f"{stage.turns:,}"))
    note = "The bars show median, 95th percentile and longest. The wait in the time line holds what the caller heard."
    columns = ("stage", "", "median", "p95", "longest", "turns")
    return join(table(columns, rows, numbers=(2, 3, 4, 5)), tag("p", note, class_="dim"))


def deliveries(report: Report) -> Markup:
    """When each turn was written and acknowledged, and what the webhook took."""
    parts: list[Markup] = []
    if report.turns:
        late = f"{report.undelivered} not yet" if report.undelivered else "all of them"
        rows = [
            (
                tag("a", f"#{turn.number}", href=f"#turn-{turn.number}"),
                clock(turn.written_s),
                tag("span", "not yet", class_="warning-text") if turn.delivered_s is None else clock(turn.delivered_s),
                "" if turn.delivered_s is None else milliseconds((turn.delivered_s - turn.written_s) * 1000),
                "" if turn.turn.seq is None else f"{turn.turn.seq:,}",
            )
            for turn in report.turns
        ]
        columns = ("turn", "in the journal", "in the chat thread", "after", "message")
        inner = table(columns, rows, numbers=(1, 2, 3, 4))
        title = f"{count(len(report.turns), 'turn')} to the chat thread: {late}"
        parts.append(tag("details", tag("summary", title), inner, open=report.undelivered > 0))
    if report.notices:
        failed = sum(notice.failed_at is not None for notice in report.notices)
        taken = sum(notice.delivered_at is not None for notice in report.notices)
        waiting = len(report.notices) - taken - failed
        rest = "".join(f", {n} {word}" for n, word in ((failed, "given up"), (waiting, "waiting")) if n)
        title = f"{count(len(report.notices), 'notice')} to the webhook: {taken} taken{rest}"
        told = [_notice(notice, report.call.started_at) for notice in report.notices]
        inner = table(("notice", "queued", "attempts", "outcome"), told, numbers=(1, 2))
        parts.append(tag("details", tag("summary", title), inner, open=failed > 0 or waiting > 0))
    return join(*parts)


def _notice(notice: NoticeRecord, started_at: float) -> tuple[Child, ...]:
    if notice.delivered_at is not None:
        outcome: Child = f"taken at {clock(notice.delivered_at - started_at)}"
    elif notice.failed_at is not None:
        outcome = tag("span", f"given up: {notice.problem}", class_="bad-text")
    else:
        outcome = tag("span", f"waits{f': {notice.problem}' if notice.problem else ''}", class_="warning-text")
    return notice.kind, clock(notice.queued_at - started_at), f"{notice.attempts:,}", outcome


def usage(used: Usage) -> Markup:
    """What each model used, and what that costs."""
    rows = [_used(used, key) for key in used.amounts]
    total = tag("p", tag("strong", f"In all {cost_words(used.bill.total, used.bill.currency)}"), class_="total")
    why = tag("p", f"Not all is known: {used.bill.total.why}.", class_="dim") if used.bill.total.why else None
    columns = ("model", "requests", "tokens in", "of them cached", "tokens out", "characters", "audio", "cost")
    return join(table(columns, rows, numbers=range(1, 8)), total, why)


def _used(used: Usage, key: ModelKey) -> tuple[Child, ...]:
    amounts, cost = used.amounts[key], used.bill.costs[key]
    purpose = "the summary" if key.purpose is Purpose.SUMMARY else STAGES[key.stage]
    tokens = (amounts.input_tokens, amounts.cached_input_tokens, amounts.output_tokens, amounts.characters)
    why = tag("span", f" {cost.why}", class_="dim") if cost.why else None
    return (
        join(key.model, tag("span", f" {purpose}", class_="dim")),
        f"{amounts.requests:,}",
        *(f"{number:,}" if number else "" for number in tokens),
        duration(amounts.audio_seconds) if amounts.audio_seconds else "",
        join(cost_words(cost, used.bill.currency), why),
    )


def foot(report: Report) -> Markup:
    """Where this comes from."""
    return tag(
        "p", f"Made {moment(report.made_at)} from the journal of this worker. It holds what was said: keep it as such."
    )


def table(columns: Iterable[str], rows: Iterable[Iterable[Child]], numbers: Iterable[int] = ()) -> Markup:
    """A table that scrolls sideways where it is too wide; the columns in `numbers` are set to the right."""
    right = frozenset(numbers)
    titles = [tag("th", title, scope="col", class_="number" if i in right else None) for i, title in enumerate(columns)]
    body = (
        tag("tr", *(tag("td", cell, class_="number" if i in right else None) for i, cell in enumerate(row)))
        for row in rows
    )
    inner = tag("table", tag("thead", tag("tr", *titles)), tag("tbody", *body))
    return tag("div", inner, class_="scroll", tabindex="0", role="group", aria_label="Table")


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
