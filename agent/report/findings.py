"""What there is to know first about a call, in sentences that somebody understands who was not there. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agent.recording.events import Status
from agent.report.facts import Facts, State
from agent.report.happenings import ALL, TOOL_OK, Happening, Weight, stage_name
from agent.report.recorded import Recorded
from agent.report.reported_turn import ReportedTurn
from agent.report.wording import clock, count, duration, milliseconds, often, printable
from agent.turns import Channel
from agent.usage.entries import Usage

# A caller who has waited longer begins to wonder whether anybody is there.
SLOW_MS = 2_000
ORDER = (Weight.BAD, Weight.WARNING, Weight.NOTE, Weight.GOOD)


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, and how much it matters."""

    weight: Weight
    text: str


def find(
    facts: Facts,
    turns: Sequence[ReportedTurn],
    happenings: Sequence[Happening],
    usage: Usage | None,
    length_s: float,
    recording: Recorded | None,
) -> tuple[Finding, ...]:
    """What there is to know first, the worst first."""
    found = [
        *_end(facts, length_s),
        *_journal(happenings),
        *_errors(happenings),
        *_fallbacks(happenings),
        *_tools(happenings),
        *_conversation(facts, turns),
        *_delivery(turns),
        *_webhook(facts),
        *_summary(facts),
        *_recording(recording),
        *_cost(usage),
    ]
    if not any(finding.weight in (Weight.BAD, Weight.WARNING) for finding in found):
        found.append(Finding(Weight.GOOD, "Nothing went wrong that the journal knows of."))
    return tuple(sorted(found, key=lambda finding: ORDER.index(finding.weight)))


def _end(facts: Facts, length_s: float) -> Iterator[Finding]:
    if facts.state is State.ENDED:
        yield Finding(Weight.NOTE, f"The call lasted {duration(length_s)} and ended: {_reason(facts.call.reason)}.")
    elif facts.state is State.RUNNING:
        yield Finding(Weight.NOTE, f"The call goes on; the journal knows its first {duration(length_s)}.")
    else:
        yield Finding(
            Weight.BAD,
            f"The call has no end: its process was killed or crashed. The last thing known is from {clock(length_s)}, "
            "what happened after it is lost.",
        )


def _reason(reason: str | None) -> str:
    return printable(reason or "no reason is known")


def _journal(happenings: Iterable[Happening]) -> Iterator[Finding]:
    failed = [h for h in happenings if h.kind == "journal"]
    if failed:
        yield Finding(
            Weight.BAD,
            f"The journal could not be used at times ({failed[-1].details.get('failed', 'some')} reads or writes "
            "failed): turns and events may be missing in this report.",
        )


def _errors(happenings: Iterable[Happening]) -> Iterator[Finding]:
    errors = [h for h in happenings if h.kind == "error"]
    for (stage, model), times in Counter((h.details.get("stage"), h.details.get("model")) for h in errors).items():
        of_it = [h for h in errors if (h.details.get("stage"), h.details.get("model")) == (stage, model)]
        kinds = ", ".join(dict.fromkeys(_kind(h) for h in of_it))
        name = stage_name(stage)
        who = f"Every model for {name}" if model == ALL else f"{name[0].upper()}{name[1:]} ({model})"
        worst = Weight.BAD if any(h.weight is Weight.BAD for h in of_it) else Weight.WARNING
        first = clock(of_it[0].offset_s)
        when = f"at {first}" if times == 1 else f"{times} times, first at {first}"
        yield Finding(worst, printable(f"{who} failed {when}: {kinds}."))


def _kind(happening: Happening) -> str:
    return str(happening.details.get("why", "unknown error"))


def _fallbacks(happenings: Iterable[Happening]) -> Iterator[Finding]:
    taken_over = [h for h in happenings if h.kind == "fallback"]
    if taken_over:
        models = ", ".join(dict.fromkeys(str(h.details.get("from", "a model")) for h in taken_over))
        yield Finding(
            Weight.WARNING,
            printable(f"Another model took over {often(len(taken_over))}, because this failed: {models}."),
        )


def _tools(happenings: Iterable[Happening]) -> Iterator[Finding]:
    tools = [h for h in happenings if h.kind == "tool"]
    for tool, times in Counter(str(h.details.get("tool")) for h in tools if _failed(h)).items():
        statuses = dict.fromkeys(
            str(h.details["status"]) for h in tools if _failed(h) and h.details.get("tool") == tool
        )
        words = ", ".join(status.replace("_", " ") for status in statuses)
        yield Finding(Weight.BAD, printable(f"The tool {tool} failed {often(times)}: {words}."))
    ended = {h.details.get("key") for h in tools if h.details.get("status") != "started"}
    for begun in (h for h in tools if h.details.get("status") == "started" and h.details.get("key") not in ended):
        yield Finding(
            Weight.BAD,
            printable(
                f"The tool {begun.details.get('tool')} was called at {clock(begun.offset_s)} and its outcome is not "
                "known: it may have taken effect."
            ),
        )


def _failed(happening: Happening) -> bool:
    return happening.details.get("status", "") not in TOOL_OK


def _conversation(facts: Facts, turns: Sequence[ReportedTurn]) -> Iterator[Finding]:
    if not turns:
        yield Finding(Weight.WARNING, "Nothing was said or typed.")
        return
    callers = [turn for turn in turns if turn.is_callers]
    typed = sum(turn.turn.channel is not Channel.VOICE for turn in callers)
    how = f" ({typed} typed)" if typed else ""
    assistants = len(turns) - len(callers)
    yield Finding(
        Weight.NOTE, f"{count(len(turns), 'turn')}: {len(callers)} by the caller{how}, {assistants} by the assistant."
    )
    cut = [turn for turn in turns if turn.turn.interrupted]
    if cut:
        where = ", ".join(clock(turn.end_s) for turn in cut[:5]) + (" …" if len(cut) > 5 else "")
        replies = count(len(cut), "reply was", "replies were")
        yield Finding(Weight.NOTE, f"{replies} cut off by the caller or by the end of the call, at {where}.")
    slow = [turn for turn in turns if turn.wait_ms is not None and turn.wait_ms > SLOW_MS]
    if slow:
        longest = max(slow, key=lambda turn: turn.wait_ms or 0)
        yield Finding(
            Weight.WARNING,
            f"The caller waited more than {milliseconds(SLOW_MS)} for {count(len(slow), 'reply', 'replies')}; the "
            f"longest wait was {milliseconds(longest.wait_ms or 0)}, at {clock(longest.start_s)}.",
        )
    if turns[-1].is_callers and facts.state is not State.RUNNING:
        yield Finding(Weight.WARNING, "The last thing that the caller said or typed was not answered.")


def _delivery(turns: Sequence[ReportedTurn]) -> Iterator[Finding]:
    missing = [turn.number for turn in turns if turn.delivered_s is None]
    if missing:
        which = ", ".join(f"#{number}" for number in missing[:8]) + (" …" if len(missing) > 8 else "")
        yield Finding(
            Weight.WARNING,
            f"{len(missing)} of {count(len(turns), 'turn')} have not reached the chat thread: {which}.",
        )


def _webhook(facts: Facts) -> Iterator[Finding]:
    failed = [notice for notice in facts.notices if notice.failed_at is not None]
    waiting = [notice for notice in facts.notices if notice.failed_at is None and notice.delivered_at is None]
    if failed:
        problems = ", ".join(dict.fromkeys(notice.problem or "no reason is known" for notice in failed))
        yield Finding(
            Weight.BAD, printable(f"The webhook did not take {count(len(failed), 'notice')}, given up: {problems}.")
        )
    if waiting and facts.state is not State.RUNNING:
        tried = next((notice.problem for notice in waiting if notice.problem), None)
        why = f": {tried}" if tried else ""
        verb = "waits" if len(waiting) == 1 else "wait"
        yield Finding(Weight.WARNING, printable(f"{count(len(waiting), 'notice')} to the webhook still {verb}{why}."))


def _summary(facts: Facts) -> Iterator[Finding]:
    if facts.summary is not None and facts.summary.problem:
        yield Finding(Weight.WARNING, printable(f"No summary could be made: {facts.summary.problem}."))


def _recording(recording: Recorded | None) -> Iterator[Finding]:
    if recording is not None:
        well = recording.status in (Status.ENDED, Status.STARTED)
        yield Finding(Weight.NOTE if well else Weight.WARNING, printable(recording.sentence))


def _cost(usage: Usage | None) -> Iterator[Finding]:
    if usage is None:
        yield Finding(Weight.WARNING, "What the call used cannot be read from the journal.")
    elif usage.bill.total.why:
        why = usage.bill.total.why
        yield Finding(Weight.NOTE, printable(f"The cost is not known in full: {why}."))
