"""`scripts/bootstrap`: the environment is made when it has to be, and every failure says what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM = ("sh", "cat", "cksum", "dirname", "mkdir", "id", "ln", "uname")

# Makes a .venv whose Python is this one, and counts how often it is filled.
UV = f"""#!/bin/sh
[ "$1" = --version ] && echo uv 0.9.0 && exit
[ "$1" = pip ] && echo synced >> syncs && exit
mkdir -p .venv/bin && ln -sf {sys.executable} .venv/bin/python
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what bootstrap reads, and a PATH folder `bin` with the system's basic tools."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "bootstrap", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "requirements.lock").write_text("one")
    (tmp_path / "bin").mkdir()
    for name in SYSTEM:
        program = shutil.which(name)
        assert program is not None
        (tmp_path / "bin" / name).symlink_to(program)
    return tmp_path


def add(project: Path, name: str, text: str) -> None:
    path = project / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def bootstrap(project: Path) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": str(project / "bin"), "HOME": os.environ.get("HOME", "/")}
    command = ["sh", str(project / "scripts" / "bootstrap"), "sh", "-c", "echo ran"]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_an_old_python_ends_in_one_line(project: Path) -> None:
    """Which version is needed, which one is there, and how to name another."""
    add(project, "python3", '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
    done = bootstrap(project)
    assert done.returncode == 1
    assert done.stderr == (
        "error: Python 3.11 or newer is needed (found: Python 3.9.2): "
        "install it, or name it with make … PYTHON=/path/to/python3\n"
    )


def test_the_environment_is_made_once_and_again_when_the_lock_changes(project: Path) -> None:
    """A second start loses no time; a pull that changes the lock is followed."""
    (project / "bin" / "python3").symlink_to(sys.executable)
    add(project, "uv", UV)
    assert [bootstrap(project).stdout for _ in range(2)] == ["ran\n", "ran\n"]
    assert (project / "syncs").read_text() == "synced\n"
    (project / "requirements.lock").write_text("two")
    assert bootstrap(project).stdout == "ran\n"
    assert (project / "syncs").read_text() == "synced\nsynced\n"


def test_a_failed_sync_ends_with_what_to_do_and_is_tried_again(project: Path) -> None:
    """uv's own words stay in view above; the next start does not take the half-made environment for good."""
    (project / "bin" / "python3").symlink_to(sys.executable)
    add(project, "uv", '#!/bin/sh\n[ "$1" = --version ] && echo uv 0.9.0 && exit\necho "dns error" >&2\nexit 2\n')
    done = bootstrap(project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-2:] == [
        "dns error",
        "error: the environment could not be made (the lines above say why): check the network and run this again",
    ]
    add(project, "uv", UV)
    assert bootstrap(project).stdout == "ran\n"
