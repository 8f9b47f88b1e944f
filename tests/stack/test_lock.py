"""The lock files pin everything that pyproject.toml asks for, with hashes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-worker.lock", "requirements-trial.lock")


def pinned(name: str) -> dict[str, str]:
    """The versions of a lock file by package."""
    lines = (ROOT / name).read_text().splitlines()
    return {canonicalize_name(m[1]): m[2] for line in lines if (m := re.match(r"([\w.\-\[\]]+)==([^\s;]+)", line))}


def wanted(groups: tuple[str, ...]) -> list[Requirement]:
    """What pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = list(project["project"]["dependencies"])
    for group in groups:
        listed += [entry for entry in project["dependency-groups"][group] if isinstance(entry, str)]
    return [Requirement(entry) for entry in listed]


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("requirements.lock", ("dev", "local")),
        ("requirements-worker.lock", ()),
        ("requirements-trial.lock", ("local",)),
    ],
)
def test_a_lock_pins_what_the_project_asks_for(lock: str, groups: tuple[str, ...]) -> None:
    """A dependency that was added or moved without `make lock` is found."""
    versions = pinned(lock)
    for requirement in wanted(groups):
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{lock}: {name} is missing, run make lock"
        assert requirement.specifier.contains(versions[name]), f"{lock}: {name} {versions[name]}, run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_torch_is_among_them(lock: str) -> None:
    """An environment from the lock holds what was reviewed, and nothing of two gigabytes."""
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not {"torch", "torchaudio"} & pinned(lock).keys()


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_an_image_runs_what_was_tested(lock: str) -> None:
    """The worker's and the trial's packages are of the versions that these tests run with."""
    tested = pinned("requirements.lock")
    assert {name: version for name, version in pinned(lock).items() if tested.get(name) != version} == {}
