"""The report and the list of calls in the terminal.

Everything from outside goes through `printable` and is put into `Text`, never into markup: what somebody says or types
can neither colour nor move anything.
"""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from agent.report.facts import State
from agent.report.happenings import STAGES, Weight
from agent.report.listing import ListedCall
from agent.report.report import Report
from agent.report.reported_turn import ReportedTurn
from agent.report.strip import strip
from agent.report.wording import clock, duration, milliseconds, minute, moment, money, printable
from agent.turns import Channel
from agent.usage.cost import Cost

SIGNS = {
    Weight.BAD: ("✗", "bold red"),
    Weight.WARNING: ("!", "bold yellow"),
    Weight.NOTE: ("·", "dim"),
    Weight.GOOD: ("✓", "bold green"),
}
STATES = {State.ENDED: "green", State.RUNNING: "cyan", State.LOST: "bold red"}
CALLER, ASSISTANT = "bold blue", "bold green"


def print_report(console: Console, report: Report) -> None:
    """Print everything, in the order in which one asks for it."""
    console.print(_head(report))
    console.print()
    for finding in report.findings:
        sign, style = SIGNS[finding.weight]
        console.print(Text.assemble((f"{sign} ", style), printable(finding.text)), soft_wrap=False)
    if report.summary is not None:
        _section(console, "Summary", _summary(report))
    if report.turns:
        _section(console, "Time line", strip(report, max(40, min(console.width - 12, 100))))
        _section(console, "Thread", Group(*(_turn(turn) for turn in report.turns)))
    if report.latency:
        _section(console, "Latency", _latency(report))
    if report.happenings:
        _section(console, "Events", _happenings(report))
    if report.turns:
        _section(console, "Deliveries to the chat thread", _deliveries(report))
    if report.notices:
        _section(console, "Webhook", _webhook(report))
    if report.usage is not None and report.usage.amounts:
        _section(console, "Usage and cost", _usage(report))


def print_calls(console: Console, calls: Iterable[ListedCall]) -> None:
    """Print a table of calls."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("started", "call", "state"):
        table.add_column(title)
    for title in ("length", "turns", "not delivered", "errors", "cost"):
        table.add_column(title, justify="right")
    table.add_column("conversation", overflow="fold")
    for listed in calls:
        call = listed.call
        reason = f": {printable(call.reason)}" if call.reason else ""
        table.add_row(
            minute(call.started_at),
            Text(printable(call.id)),
            Text.assemble((listed.state.value, STATES[listed.state]), reason),
            duration(listed.length_s),
            str(listed.turns),
            Text(str(listed.undelivered), style="yellow" if listed.undelivered else "dim"),
            Text(str(listed.errors), style="red" if listed.errors else "dim"),
            cost_words(listed.cost, listed.currency),
            Text(printable(call.conversation_id)),
        )
    console.print(table)


def cost_words(cost: Cost | None, currency: str) -> str:
    """A cost in words: what is not known says so."""
    if cost is None or cost.amount is None:
        return "not known"
    return f"{'at least ' if cost.at_least else ''}{money(cost.amount, currency)}"


def _head(report: Report) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    call = report.call
    reason = f": {printable(call.reason)}" if call.reason else ""
    grid.add_row("call", Text(printable(call.id), style="bold"))
    grid.add_row("conversation", Text(printable(call.conversation_id)))
    grid.add_row("room", Text(printable(call.room)))
    grid.add_row("began", moment(call.started_at))
    grid.add_row("length", duration(report.length_s))
    grid.add_row("state", Text.assemble((report.state.value, STATES[report.state]), reason))
    if report.recording is not None and report.recording.file is not None:
        grid.add_row("recording", Text(printable(str(report.recording.file))))
    return grid


def _section(console: Console, title: str, content: RenderableType) -> None:
    console.print()
    console.print(Rule(Text(title, style="bold"), align="left", style="dim"))
    console.print(content)


def _summary(report: Report) -> RenderableType:
    summary = report.summary
    if summary is None or summary.problem:
        problem = "" if summary is None else summary.problem
        return Text(f"none: {printable(problem)}", style="yellow")
    lines: list[RenderableType] = [Text(printable(summary.text))]
    if summary.outcome is not None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim")
        for name, value in summary.outcome.items():
            grid.add_row(Text(printable(name)), Text(printable(str(value))))
        lines.append(Padding(grid, (1, 0, 0, 0)))
    lines.append(Text(f"made by the model {printable(summary.model)}, {moment(summary.at)}", style="dim"))
    return Group(*lines)


def _turn(reported: ReportedTurn) -> RenderableType:
    turn = reported.turn
    who, style = ("caller", CALLER) if reported.is_callers else ("assistant", ASSISTANT)
    marks = [] if turn.channel is Channel.VOICE else [f"typed ({turn.channel})" if reported.is_callers else "written"]
    marks += ["cut off"] if turn.interrupted else []
    marks += [f"waited {milliseconds(reported.wait_ms)}"] if reported.wait_ms is not None else []
    head = Text.assemble(
        (f"{clock(reported.start_s):>8} ", "dim"), (f"{who:<9} ", style), (" · ".join(marks), "dim italic")
    )
    return Group(head, Padding(Text(printable(turn.text)), (0, 0, 0, 19)))


def _latency(report: Report) -> Table:
    table = _table("stage", right=("turns", "median", "p95", "longest"))
    for stage in report.latency:
        times = (milliseconds(value) for value in (stage.p50_ms, stage.p95_ms, stage.longest_ms))
        table.add_row(stage.name, str(stage.turns), *times)
    return table


def _happenings(report: Report) -> Table:
    table = _table("at", "", "what happened")
    for happening in report.happenings:
        sign, style = SIGNS[happening.weight]
        table.add_row(clock(happening.offset_s), Text(sign, style=style), Text(happening.text))
    return table


def _deliveries(report: Report) -> Table:
    table = _table("turn", right=("written", "in the thread", "after", "seq"))
    for turn in report.turns:
        delivered = Text("not yet", style="yellow") if turn.delivered_s is None else Text(clock(turn.delivered_s))
        after = "" if turn.delivered_s is None else milliseconds((turn.delivered_s - turn.written_s) * 1000)
        seq = "" if turn.turn.seq is None else str(turn.turn.seq)
        table.add_row(f"#{turn.number}", clock(turn.written_s), delivered, after, seq)
    return table


def _webhook(report: Report) -> Table:
    table = _table("notice", "outcome", right=("queued", "attempts"))
    for notice in report.notices:
        if notice.delivered_at is not None:
            outcome = Text(f"taken at {clock(notice.delivered_at - report.call.started_at)}")
        elif notice.failed_at is not None:
            outcome = Text(f"given up: {printable(notice.problem or '')}", style="red")
        else:
            outcome = Text(f"waits{f': {printable(notice.problem)}' if notice.problem else ''}", style="yellow")
        queued = clock(notice.queued_at - report.call.started_at)
        table.add_row(notice.kind, outcome, queued, str(notice.attempts))
    return table


def _usage(report: Report) -> RenderableType:
    usage = report.usage
    assert usage is not None
    counted = ("requests", "tokens in", "cached", "out", "characters", "audio", "cost")
    table = _table("model", "for", right=counted)
    for key, used in usage.amounts.items():
        purpose = "the summary" if key.purpose == "summary" else STAGES[key.stage].removeprefix("the ")
        numbers = (used.input_tokens, used.cached_input_tokens, used.output_tokens, used.characters)
        table.add_row(
            Text(printable(key.model)),
            purpose,
            f"{used.requests:,}",
            *(f"{number:,}" if number else "" for number in numbers),
            duration(used.audio_seconds) if used.audio_seconds else "",
            cost_words(usage.bill.costs[key], usage.bill.currency),
        )
    total = Text(f"in all {cost_words(usage.bill.total, usage.bill.currency)}", style="bold")
    why = Text(printable(f"  {usage.bill.total.why}"), style="dim") if usage.bill.total.why else Text()
    return Group(table, Text.assemble(total, why))


def _table(*columns: str, right: Iterable[str] = ()) -> Table:
    """A table; the columns to the right hold numbers."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in columns:
        table.add_column(title)
    for title in right:
        table.add_column(title, justify="right")
    return table
