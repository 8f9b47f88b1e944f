"""`python -m agent replay`, run as people run it."""

import json
import os
import subprocess
import sys
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from agent.cli import app
from tests.models.models_process import models_process, until_ready
from tests.support.recordings import RECORDINGS

ROOT = Path(__file__).parents[2]
CARD = RECORDINGS["card_001"]
OF_THIS_RUN = ("wall_seconds", "files")


def replay(out: Path, *arguments: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Replay the card with `--json`; returns the object of the last line."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "replay", str(CARD.path), "--out", str(out), "--json", *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def tracks(file: Path) -> tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]:
    """The caller's and the agent's samples."""
    with wave.open(str(file)) as reply:
        assert (reply.getnchannels(), reply.getsampwidth(), reply.getframerate()) == (2, 2, 24_000)
        both = np.frombuffer(reply.readframes(reply.getnframes()), np.int16).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def test_two_fast_runs_give_the_same_sound_turns_and_picture(tmp_path: Path) -> None:
    """To the last bit, and whatever else the machine does meanwhile."""
    first, second = (replay(tmp_path / name, "--fast", "--greet") for name in ("a", "b"))
    for name in ("reply.wav", "turns.jsonl", "timeline.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    for of_run in OF_THIS_RUN:
        first.pop(of_run), second.pop(of_run)
    assert first == second
    assert first["fast"]
    assert first["greet"]
    assert first["turns"][0]["speaker"] == "assistant"


def test_in_real_time_the_recording_is_answered_as_in_a_call(tmp_path: Path) -> None:
    """The words are understood and answered aloud; what is written agrees with what is printed."""
    result = replay(tmp_path)
    said, answer = result["turns"][0], result["turns"][-1]  # a machine with much else to do may make more of them
    assert said["speaker"] == "user"
    assert "clubs" in " ".join(turn["text"].lower() for turn in result["turns"] if turn["speaker"] == "user")
    assert (answer["speaker"], answer["interrupted"]) == ("assistant", False)
    assert answer["voice_to_voice_ms"] > 0
    assert answer["voice_to_voice_ms"] <= result["voice_to_voice_ms"]["worst"]
    lines = [json.loads(line) for line in (tmp_path / "turns.jsonl").read_text().splitlines()]
    assert lines == result["turns"]
    caller, agent = tracks(tmp_path / "reply.wav")
    assert np.abs(caller[: 2 * 24_000].astype(int)).max() > 10_000
    assert not agent[: int(said["start"] * 24_000)].any()
    assert np.abs(agent[int(answer["start"] * 24_000) :].astype(int)).max() > 3000
    assert (tmp_path / "timeline.svg").read_text().startswith("<svg")


def test_models_over_http_do_as_well_while_time_stands_still(tmp_path: Path) -> None:
    """The same engines behind a server give the same words at the same moments."""
    with models_process(tmp_path / "models.log") as server:
        until_ready(server)
        env = {
            "ELSEWHERE_BASE_URL": server.base_url,
            "STT_MODELS": "elsewhere/moonshine-tiny-en",
            "LLM_MODELS": "elsewhere/responder",
            "TTS_MODELS": "elsewhere/hibari",
        }
        over_http = replay(tmp_path / "http", "--fast", env=env)
    in_process = replay(tmp_path / "here", "--fast")
    assert over_http["turns"] == in_process["turns"]
    assert over_http["turns"]


def test_without_an_out_folder_one_named_after_the_recording_is_made(tmp_path: Path) -> None:
    """Where one stands; the table says who said what when, and what came before it."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "replay", str(CARD.path), "--fast"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    assert {file.name for file in (tmp_path / "card_001-replay").iterdir()} == {
        "reply.wav",
        "turns.jsonl",
        "timeline.svg",
    }
    assert "Ten of clubs" in done.stdout
    assert "agent" in done.stdout
    assert "ms" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["{tmp}/missing.wav"], 1, "missing.wav: No such file"),
        (["{tmp}/words.txt"], 1, "not audio"),
        (["{card}", "--job", "{tmp}/missing.json"], 1, "missing.json: No such file"),
        (["{card}", "--job", "{tmp}/words.txt"], 1, "not JSON"),
        (["{card}", "--job", "{tmp}/unknown.json"], 1, "unknown key 'colour'"),
        (["{card}", "--job", "{tmp}/backend.json"], 1, "use brain llm"),
        (["{card}", "--job", "{tmp}/voice.json"], 1, "has no such voice"),
        (["{card}", "--job", "{tmp}/german.json"], 1, "English only"),
        (["{card}", "--fastest"], 2, "No such option"),
        ([], 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], status: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With status 1; wrong use has status 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("these are words")
    jobs: dict[str, dict[str, Any]] = {
        "unknown": {"colour": "green"},
        "backend": {"brain": "chat"},
        "voice": {"agent": {"voice": "nobody"}},
        "german": {"agent": {"language": "de"}},
    }
    for name, job in jobs.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"conversation_id": "c", **job}))
    given = [argument.format(tmp=tmp_path, card=CARD.path) for argument in arguments]
    result = CliRunner().invoke(app, ["replay", *given])
    assert result.exit_code == status, result.output
    assert message in " ".join(result.output.replace("│", " ").split())
    if status == 1:
        assert len([line for line in result.stderr.splitlines() if line.startswith("error: ")]) == 1
