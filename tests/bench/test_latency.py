"""The whole benchmark, with one recording: every process, real rooms, real models."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stack import ROOT


@pytest.mark.timeout(600)  # two workers, a server and models start and end on a machine that does other things too
def test_a_run_with_one_turn_gives_all_results(tmp_path: Path) -> None:
    """Ours and stock answer; the last line of `--json` and the chart have their figures, and no process stays."""
    out, chart = tmp_path / "turns.json", tmp_path / "chart.svg"
    asked = ["--turns", "1", "--no-pauses", "--no-stub", "--json", "--out", str(out), "--chart", str(chart)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "latency", *asked],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["ours"]["turns"], found["stock"]["turns"]) == (1, 1)
    assert (found["pauses"], found["stub"]) == (None, None)
    assert found["machine"]["cores"]
    turns = json.loads(out.read_text())["turns"]
    assert [turn["contender"] for turn in turns["plain"]] == ["ours", "stock"]
    assert "this agent" in chart.read_text()
    assert not list(tmp_path.glob("bench-*"))
