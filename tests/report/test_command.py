"""`python -m agent report` and `calls`, as they are typed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stack import ROOT


def run(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command with this data folder, in a process of its own."""
    environment = {**os.environ, "DATA_DIR": str(folder), "COLUMNS": "120", "NO_COLOR": "1", **env}
    command = [sys.executable, "-m", "agent", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


async def test_calls_are_listed_and_the_latest_is_reported(folder: Path) -> None:
    """What a person sees first."""
    listed = run(folder, "calls")
    assert listed.returncode == 0
    assert [line.split()[2] for line in listed.stdout.splitlines()[1:]] == ["AJ_bad", "AJ_good"]
    latest = run(folder, "report")
    assert "The call has no end" in latest.stdout
    assert "The call lasted 26 s" in run(folder, "report", "AJ_g").stdout


async def test_programs_get_one_object(folder: Path) -> None:
    """One line of JSON in ASCII, whatever was said."""
    printed = run(folder, "report", "AJ_bad", "--json").stdout
    assert printed.isascii()
    assert json.loads(printed)["call"]["id"] == "AJ_bad"
    assert [call["id"] for call in json.loads(run(folder, "calls", "--json", "--limit", "1").stdout)] == ["AJ_bad"]


async def test_a_page_is_written_for_its_owner_alone(folder: Path) -> None:
    """It holds what was said; nothing else is left in the folder."""
    page = folder / "pages" / "call.html"
    page.parent.mkdir()
    made = run(folder, "report", "AJ_good", "--html", str(page))
    assert made.returncode == 0
    assert "AJ_good" in made.stdout
    assert page.stat().st_mode & 0o777 == 0o600
    assert page.read_text().startswith("<!doctype html>")
    assert [path.name for path in page.parent.iterdir()] == ["call.html"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("report", "AJ_nobody"), "holds no call"),
        (("report", "AJ_"), "2 calls begin with"),
        (("report", "--html", "/nowhere/at/all.html"), "cannot be written"),
        (("calls", "--limit", "0"), "limit"),
    ],
)
async def test_what_cannot_be_is_one_line_that_helps(folder: Path, arguments: tuple[str, ...], why: str) -> None:
    """No trace, exit status not 0."""
    failed = run(folder, *arguments)
    assert failed.returncode != 0
    assert why in failed.stderr
    assert "Traceback" not in failed.stderr


def test_without_a_journal_nothing_is_made(tmp_path: Path) -> None:
    """A wrong DATA_DIR is said, and stays empty."""
    failed = run(tmp_path, "report")
    assert failed.returncode == 1
    assert "no call was made with this DATA_DIR" in failed.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_journal_or_price_file_is_said(tmp_path: Path) -> None:
    """With the file's name."""
    (tmp_path / "journal.db").write_bytes(b"this is no database at all")
    assert "journal.db cannot be opened" in run(tmp_path, "report").stderr
    prices = tmp_path / "prices.toml"
    prices.write_text("[acme]\n")
    assert "PRICES_FILE" in run(tmp_path, "report", PRICES_FILE=str(prices)).stderr
