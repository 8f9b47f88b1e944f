"""The page: everything in one file, which a browser may show and nothing else.

Its content policy lets run only the script and the style that stand in it, by their hashes, and forbids every request:
even words that got past the escaping could do nothing.
"""

import base64
import hashlib
from pathlib import Path

from agent.report.happenings import Weight
from agent.report.html import sections
from agent.report.html.markup import Markup, join, tag
from agent.report.html.thread import thread
from agent.report.html.timeline import timeline
from agent.report.report import Report
from agent.report.wording import moment

HERE = Path(__file__).parent
STYLE = Markup((HERE / "style.css").read_text())
SCRIPT = Markup((HERE / "script.js").read_text())


def report_page(report: Report, sound: bytes | None = None) -> str:
    """The whole page.

    Args:
        report: the call.
        sound: its recording, an Ogg file to be played from the page.
    """
    title = f"Call {report.call.id}"
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(plays=sound is not None)),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", f"{title}: {moment(report.call.started_at)}"),
        tag("style", STYLE),
    ]
    body = [
        tag("a", "Skip to the thread", href="#thread", class_="skip"),
        tag("header", sections.head(report)),
        tag("main", *_main(report, sound)),
        tag("footer", sections.foot(report)),
        tag("div", id="card", hidden=True, role="tooltip"),
        tag("script", SCRIPT),
    ]
    document = tag("html", tag("head", *head), tag("body", *body), lang="en")
    return f"<!doctype html>\n{document}\n"


def _main(report: Report, sound: bytes | None) -> list[Markup]:
    parts = [sections.section("What happened", "findings", sections.findings(report))]
    if report.summary is not None:
        parts.append(sections.section("Summary", "summary", sections.summary(report.summary)))
    if report.recording is not None:
        parts.append(sections.section("Recording", "recording", sections.recording(report.recording, sound)))
    if report.turns or report.happenings:
        drawing = join(sections.legend(), timeline(report), sections.timeline_table(report))
        parts.append(sections.section("Time line", "timeline", drawing))
    if report.turns:
        parts.append(sections.section("Thread", "thread", thread(report)))
    if report.happenings:
        worst = any(h.weight in (Weight.BAD, Weight.WARNING) for h in report.happenings)
        name = "Errors and events" if worst else "Events"
        parts.append(sections.section(name, "events", sections.events(report)))
    if report.latency:
        parts.append(sections.section("Latency by stage", "latency", sections.latency(report)))
    if report.turns or report.notices:
        parts.append(sections.section("Deliveries", "deliveries", sections.deliveries(report)))
    if report.usage is not None and report.usage.amounts:
        parts.append(sections.section("Usage and cost", "usage", sections.usage(report.usage)))
    return parts


def _policy(*, plays: bool) -> str:
    style, script = _hash(STYLE), _hash(SCRIPT)
    media = "media-src data:; " if plays else ""
    return (
        f"default-src 'none'; {media}style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
