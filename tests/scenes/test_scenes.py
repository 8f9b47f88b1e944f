"""Every scene of this folder, played through the whole pipeline in virtual time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenes.script import scene_files

ROOT = Path(__file__).parents[2]


class SceneProcess:
    """A process that holds the models and plays scenes; its own, since virtual time comes before livekit-agents."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenes", "--serve", "--out", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def play(self, name: str) -> list[dict[str, str | bool]]:
        """The verdicts on a scene."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that plays scenes has ended; what it wrote to stderr says why"
        verdicts: list[dict[str, str | bool]] = json.loads(line)
        return verdicts

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SceneProcess]:
    """One process for all scenes; sound and picture of each stay in a folder for whoever looks into a failure."""
    process = SceneProcess(tmp_path_factory.mktemp("scenes"))
    yield process
    process.close()


@pytest.mark.parametrize("name", [file.stem for file in scene_files()])
def test_a_scene_goes_as_it_must(scenes: SceneProcess, name: str) -> None:
    """What is expected happens in its time, what must not happen does not, and no mark is older than what it marks."""
    failed = [f"{v['expected']}: {v['found']}" for v in scenes.play(name) if not v["holds"]]
    assert not failed, "\n".join([*failed, f"sound and picture: {scenes.folder / name}"])
