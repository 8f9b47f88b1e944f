"""What scripts/container-check does with the Dockerfile, as far as it can be seen without building."""

import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from tests.container.dockerfile import DockerfileError, Ignore, parse_dockerfile
from tests.support.stack import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
IGNORE = Ignore((ROOT / ".dockerignore").read_text())


def test_the_images_run_as_an_ordinary_user() -> None:
    """The last word on the user is not root's, and /data belongs to it."""
    stages = parse_dockerfile(DOCKERFILE)
    for name in ("worker", "trial"):
        assert [step.rest for step in stages[name].steps if step.name == "USER"] == ["10001:10001"]
    assert "--uid 10001" in DOCKERFILE


def test_what_is_installed_is_locked_with_hashes_and_compiled_nowhere() -> None:
    """Each pip install takes a lock file, wheels alone, and checks their hashes."""
    installs = [
        step.rest
        for stage in parse_dockerfile(DOCKERFILE).values()
        for step in stage.steps
        if step.name == "RUN" and "pip install" in step.rest
    ]
    assert len(installs) == 2
    assert all("--require-hashes --only-binary=:all: -r /build/requirements-" in install for install in installs)


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("agent/worker/worker.py", False),
        ("plugins/shared_vad.py", False),
        ("requirements-worker.lock", False),
        (".env", True),
        ("deploy/trial.env", True),
        (".data/secrets.json", True),
        ("agent/__pycache__/worker.cpython-311.pyc", True),
        ("agent/dev/page/node_modules/x/index.js", True),
        ("tests/audio/x.flac", True),
    ],
)
def test_only_the_sources_reach_an_image(path: str, out: bool) -> None:
    """Secrets, recordings and what was built here stay out, whatever lies about in the checkout."""
    assert IGNORE(PurePosixPath(path)) is out


def test_what_is_not_understood_is_an_error() -> None:
    """The check never builds something else than an engine would."""
    with pytest.raises(DockerfileError, match="line 2: ONBUILD"):
        parse_dockerfile("FROM debian AS a\nONBUILD RUN true")
    with pytest.raises(DockerfileError, match="line 1: a stage needs a name"):
        parse_dockerfile("FROM debian")


def test_where_no_image_can_be_built_that_is_said() -> None:
    """A machine without the programs for it fails no test, and does not look as if it had passed one."""
    command = [sys.executable, "-m", "tests.container.check"]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False)
    assert (done.returncode, "NOT CHECKED" in done.stdout) == (0, True), done.stderr
