"""The thread on the page: who said and typed what, when, and what became of it."""

from agent.report.html.markup import Markup, join, tag
from agent.report.report import Report
from agent.report.reported_turn import ReportedTurn
from agent.report.wording import clock, milliseconds
from agent.turns import Channel, to_timestamp

STEPS = (
    ("transcription_ms", "transcript"),
    ("end_of_turn_ms", "turn over"),
    ("llm_first_token_ms", "model"),
    ("tts_first_byte_ms", "voice"),
)


def thread(report: Report) -> Markup:
    """All turns, as a list."""
    started_at = report.call.started_at
    return tag("ol", *(_turn(turn, started_at) for turn in report.turns), class_="thread")


def _turn(turn: ReportedTurn, started_at: float) -> Markup:
    who = "Caller" if turn.is_callers else "Assistant"
    when = tag("time", clock(turn.start_s), datetime=to_timestamp(started_at + turn.start_s))
    head = tag(
        "p", tag("span", f"#{turn.number}", class_="number"), tag("strong", who), when, *_badges(turn), class_="who"
    )
    words = tag("p", turn.turn.text, class_="words", dir="auto")
    side = "caller" if turn.is_callers else "assistant"
    return tag(
        "li", head, words, tag("p", _after(turn), class_="after"), id=f"turn-{turn.number}", class_=f"turn {side}"
    )


def _badges(turn: ReportedTurn) -> list[Markup]:
    badges = []
    if turn.turn.channel is Channel.ROOM:
        badges.append(tag("span", "typed in the room", class_="badge"))
    elif turn.turn.channel is Channel.CHAT:
        badges.append(tag("span", "typed in the chat" if turn.is_callers else "written", class_="badge"))
    if turn.turn.interrupted:
        by = join(" by ", tag("a", f"#{turn.cut_by}", href=f"#turn-{turn.cut_by}")) if turn.cut_by else ""
        badges.append(tag("span", "cut off", by, class_="badge warning"))
    if turn.wait_ms is not None:
        slow = " warning" if turn.wait_ms > 2_000 else ""
        badges.append(tag("span", f"after {milliseconds(turn.wait_ms)}", class_=f"badge wait{slow}"))
    if turn.delivered_s is None:
        badges.append(tag("span", "not in the chat thread yet", class_="badge warning"))
    return badges


def _after(turn: ReportedTurn) -> str:
    """What it took, and where it went."""
    latency = turn.turn.latency
    steps = [f"{name} {milliseconds(value)}" for key, name in STEPS if (value := getattr(latency, key)) is not None]
    kept = f"written {clock(turn.written_s)}"
    if turn.delivered_s is not None:
        place = f" as message {turn.turn.seq}" if turn.turn.seq is not None else ""
        kept += f", in the thread {clock(turn.delivered_s)}{place}"
    return " · ".join([*steps, kept])
