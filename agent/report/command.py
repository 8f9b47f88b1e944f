"""What `python -m agent report` and `python -m agent calls` do."""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import typer
from rich.console import Console

from agent.journal import Journal, JournalError
from agent.journal.opening import FILE_NAME, open_to_read
from agent.report.as_json import report_data
from agent.report.facts import NoSuchCall, find_call, read_facts
from agent.report.html.page import report_page
from agent.report.listing import list_calls, listed_data
from agent.report.report import Report, build_report
from agent.report.terminal import print_calls, print_report
from agent.settings import Settings
from agent.usage.prices import PriceError, PriceTable, load_prices

Result = TypeVar("Result")


# About half an hour of sound.
MOST_EMBEDDED = 12_000_000


class ReportError(RuntimeError):
    """There is no report; the message says why and what to do."""


def report_command(settings: Settings, wanted: str | None, *, json_output: bool, html: Path | None) -> None:
    """Report one call: in the terminal, as JSON, or as a page.

    Args:
        settings: where the journal and the prices are.
        wanted: the call's id or its beginning; None: the latest call.
        json_output: print one JSON object.
        html: write a page to this file.

    Raises:
        ReportError: there is no such call, the journal or the prices cannot be read, or the page cannot be written.
    """
    report = _with_journal(settings, lambda journal, prices: _report(journal, prices, wanted, settings.recordings))
    if html is not None:
        _write(html, report_page(report, _sound(report)))
        typer.echo(f"{html}: {report.call.id}", err=json_output)
    if json_output:
        typer.echo(json.dumps(report_data(report)))
    elif html is None:
        print_report(_console(), report)


def calls_command(settings: Settings, limit: int, *, json_output: bool) -> None:
    """List the latest calls; raises ReportError as `report_command` does."""
    calls = _with_journal(settings, lambda journal, prices: list_calls(journal, prices, limit))
    if json_output:
        typer.echo(json.dumps([listed_data(call) for call in calls]))
    elif calls:
        print_calls(_console(), calls)
    else:
        typer.echo("no calls yet")


def _with_journal(settings: Settings, work: Callable[[Journal, PriceTable], Coroutine[None, None, Result]]) -> Result:
    try:
        prices = load_prices(settings.prices_file)
        with closing(_open(settings)) as journal:
            return asyncio.run(work(journal, prices))
    except PriceError as error:
        raise ReportError(f"PRICES_FILE: {error}") from None
    except (JournalError, NoSuchCall) as error:
        raise ReportError(str(error)) from None


def _open(settings: Settings) -> Journal:
    path = settings.data_dir / FILE_NAME
    if not settings.journal_url.get_secret_value() and not path.is_file():
        raise ReportError(f"{path} is not there: no call was made with this DATA_DIR yet")
    return open_to_read(path, settings.journal_url)


async def _report(journal: Journal, prices: PriceTable, wanted: str | None, recordings: Path) -> Report:
    return build_report(await read_facts(journal, await find_call(journal, wanted), recordings), prices)


def _sound(report: Report) -> bytes | None:
    """The recording, where it is small enough to stand in a page."""
    file = report.recording.file if report.recording is not None else None
    try:
        return file.read_bytes() if file is not None and file.stat().st_size <= MOST_EMBEDDED else None
    except OSError as error:
        raise ReportError(f"{file} cannot be read ({error.strerror})") from None


def _console() -> Console:
    return Console(highlight=False)


def _write(path: Path, page: str) -> None:
    """Write the page whole or not at all, for its owner alone: it holds what was said."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(partial, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(page)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ReportError(f"{path} cannot be written ({error.strerror})") from None
