"""`python -m agent check`: settings, profiles and the job are looked at by the worker's own code."""

import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from agent.check.command import check, findings_as_json, print_findings
from agent.check.environment import Wanted, look_at_job, look_at_settings
from agent.check.findings import Finding, Probe
from agent.cli import app
from agent.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a folder of one good and one bad profile."""
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "good.yaml").write_text("agent:\n  greeting: Hi {{user.name}}, order {{variables.order}}\n")
    (profiles / "bad.yaml").write_text("agent:\n  voice: nobody\n")
    return load_settings({"PROFILES": str(profiles), "DATA_DIR": str(tmp_path / "data")}, None)


def by_subject(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


async def test_every_profile_of_the_folder_is_looked_at(settings: Settings) -> None:
    """With what a dispatch has to give for it, or what is wrong with it."""
    findings, job = await look_at_job(settings, Wanted())
    found = by_subject(findings)
    assert found["good"].ok
    assert found["good"].said == "can be used; a dispatch has to give user.name, variables.order"
    assert not found["bad"].ok
    assert "key 'agent.voice'" in found["bad"].said
    assert job.conversation_id == "agent-check"


async def test_a_profile_can_be_asked_for(settings: Settings) -> None:
    """It alone is looked at, and its models are those that are asked."""
    findings, job = await look_at_job(settings, Wanted(profile="good"))
    assert [finding.subject for finding in findings] == ["good"]
    assert job.profile == "good"
    (missing,), _ = await look_at_job(settings, Wanted(profile="nobody"))
    assert "there is no such profile" in missing.said


@pytest.mark.parametrize(
    ("metadata", "ok", "said"),
    [
        (
            '{"conversation_id": "42", "agent": "good", "user": {"name": "A"}, "variables": {"order": 1}}',
            True,
            "is taken",
        ),
        ('{"conversation_id": "42", "agent": "good"}', False, "{{user.name}} has no value"),
        ('{"conversation_id": "42", "colour": "hunter2"}', False, "unknown key 'colour'"),
        ("hunter2", False, "not JSON"),
    ],
)
async def test_a_job_is_read_as_the_worker_reads_it(
    settings: Settings, tmp_path: Path, metadata: str, ok: bool, said: str
) -> None:
    """The same messages; what stands in the file is not repeated."""
    (tmp_path / "job.json").write_text(metadata)
    findings, job = await look_at_job(settings, Wanted(tmp_path / "job.json"))
    assert (findings[-1].ok, said in findings[-1].said) == (ok, True)
    assert job.conversation_id == ("42" if ok else "agent-check")
    assert "hunter2" not in findings_as_json(findings)


async def test_a_file_that_is_not_there_is_a_finding(settings: Settings, tmp_path: Path) -> None:
    """As is one that is no text."""
    findings, _ = await look_at_job(settings, Wanted(tmp_path / "nothing.json"))
    assert findings[-1].said == "No such file or directory"
    (tmp_path / "job.json").write_bytes(b"\xff\xfe\x00")
    findings, _ = await look_at_job(settings, Wanted(tmp_path / "job.json"))
    assert "not JSON" in findings[-1].said


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (
            {"CHAT_DIALECT": "unpod", "APP_TYPE": "social"},
            "APP_TYPE: social makes the unpod service drop every message",
        ),
        ({"LLM_MODELS": "acme/x"}, "ACME_BASE_URL is not set"),
        ({"PAGE_PORT": "eighty"}, "PAGE_PORT"),
    ],
)
async def test_settings_that_cannot_work_are_the_only_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], said: str
) -> None:
    """Nobody is asked anything with them."""
    monkeypatch.chdir(tmp_path)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    (finding,) = await check(Wanted(), 1.0)
    assert not finding.ok
    assert said in finding.said
    assert look_at_settings()[1] is None


async def test_an_error_that_nobody_expected_is_a_finding() -> None:
    """It tells the kind of the error and not its text."""

    async def fail() -> str:
        raise RuntimeError("hunter2")

    finding = await Probe("area", "subject", "", fail, "advice").examine(1.0)
    assert (finding.ok, finding.advice) == (False, "advice")
    assert "RuntimeError" in finding.said
    assert "hunter2" not in finding.said


def test_the_table_tells_what_is_wrong_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """In words, also where there is no colour."""
    findings = [
        Finding("chat", "a", "ws://h", True, "well", "", 0.1),
        Finding("chat", "b", "", False, "dead", "bury it"),
    ]
    print_findings(findings, Console(width=100, no_color=True))
    shown = capsys.readouterr().out
    assert "✓  chat  a" in shown
    assert "✗  chat  b" in shown
    assert "→ bury it" in shown
    assert "1 of 2 not well" in shown
    assert json.loads(findings_as_json(findings))["ok"] is False


def test_the_command_ends_with_1_when_something_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And with one line of JSON when that is asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("logging.disable", lambda: None)
    monkeypatch.setenv("PAGE_PORT", "eighty")
    result = CliRunner().invoke(app, ["check", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["findings"][0]["area"] == "settings"
    both = CliRunner().invoke(app, ["check", "--job", "x.json", "--profile", "y"])
    assert both.exit_code == 1
    assert "leave --profile out" in both.output
