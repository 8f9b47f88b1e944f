"""The report for programs: the documented keys, and no others."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.journal import SqliteJournal
from agent.journal.opening import FILE_NAME
from agent.report.as_json import report_data
from agent.report.listing import list_calls, listed_data
from agent.report.report import Report
from agent.usage.prices import load_prices

DOCS = Path(__file__).parents[2] / "docs" / "reports.md"
# Objects whose keys are those of the call's own events, profile or tools.
FREE = frozenset({"details", "outcome"})


def keys_of(value: Any, path: str = "") -> Iterator[str]:
    """The path of each key, as the documentation writes it."""
    if isinstance(value, list):
        for item in value:
            yield from keys_of(item, f"{path}[]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}".lstrip(".")
            yield here
            if key not in FREE:
                yield from keys_of(inner, here)


def documented(title: str) -> set[str]:
    """The keys of the table under a heading."""
    section = DOCS.read_text().split(f"### {title}\n")[1].split("\n#")[0]
    return set(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE))


async def test_each_key_of_the_report_is_documented(good: Report, bad: Report) -> None:
    """And each documented one is there: programs may rely on both."""
    found = {*keys_of(report_data(good)), *keys_of(report_data(bad))}
    assert found == documented("report --json")


async def test_each_key_of_the_list_is_documented(folder: Path) -> None:
    """The same for the list of calls."""
    with SqliteJournal(folder / FILE_NAME) as journal:
        calls = [listed_data(call) for call in await list_calls(journal, load_prices(None), 10)]
    assert set(keys_of(calls)) == {f"[].{key}" for key in documented("calls --json")}
    bad, good = calls
    assert (bad["id"], bad["state"], bad["turns"], bad["undelivered"], bad["errors"]) == ("AJ_bad", "lost", 8, 3, 3)
    assert (bad["cost"], good["cost"], good["length_s"]) == (None, 0.0015506, 26.0)


async def test_what_went_wrong_is_there_for_programs(bad: Report) -> None:
    """Interruptions, fallbacks, errors, tools, deliveries, journal and webhook, each in its place."""
    data = json.loads(json.dumps(report_data(bad)))
    assert data["call"]["state"] == "lost"
    assert [cut["by"] for cut in data["interruptions"]] == ["AJ_bad_t2", "AJ_bad_t4"]
    assert [event["details"]["from"] for event in data["fallbacks"]] == ["openai/gpt-4.1-mini"]
    assert [event["at_s"] for event in data["errors"]] == [9.9, 12.0, 66.0]
    assert len(data["tools"]) == 3
    assert data["delivery"] == {"turns": 8, "undelivered": 3}
    assert data["journal"] == {"failed": 3}
    assert [notice["problem"] for notice in data["webhook"] if notice["failed_at"]] == ["answered 404, 3 times"]
    assert data["usage"]["cost"]["amount"] is None
    assert data["summary"]["problem"] == "the model did not answer within 30 s"
    assert data["turns"][1]["text"].startswith("Sorry, I need")
