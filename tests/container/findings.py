"""What must not be in an image, and how large it is."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

PROGRAM_FOLDERS = ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "opt/agent/bin")
BUILD_PROGRAMS = re.compile(r"(cc|c\+\+|gcc|g\+\+|cpp|clang|ld|as|make|cmake|rustc|cargo|go|node|npm|pip3?)([-.0-9]*)")
OURS = ("app", "opt/agent", "data", "etc", "root", "home", "tmp")
SECRET_NAMES = re.compile(r"(\.env.*|secrets\.json|id_(rsa|ed25519|ecdsa)|.*\.(key|p12|pfx)|journal\.db.*)")
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/=]{40}")
ELF = b"\x7fELF"
LARGEST_READ = 4 * 1024 * 1024


def build_programs(root: Path) -> list[str]:
    """Compilers, linkers and installers in the folders where programs are."""
    return sorted(
        f"/{folder}/{path.name}"
        for folder in PROGRAM_FOLDERS
        if (root / folder).is_dir()
        for path in (root / folder).iterdir()
        if BUILD_PROGRAMS.fullmatch(path.name)
    )


def secrets(root: Path) -> list[str]:
    """Files that are secrets by their name, or hold a private key."""
    return sorted(str(path.relative_to(root)) for path in _files(root) if _is_secret(path))


def owned_by(root: Path, user: int) -> list[str]:
    """What belongs to a user."""
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if not p.is_symlink() and p.lstat().st_uid == user)


def megabytes(root: Path) -> float:
    """The size of all files, as `du` counts."""
    done = subprocess.run(["du", "-sx", "--block-size=1000", root], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0]) / 1000


def _files(root: Path) -> Iterator[Path]:
    for folder in OURS:
        for path in (root / folder).rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path


def _is_secret(path: Path) -> bool:
    if SECRET_NAMES.fullmatch(path.name):
        return True
    if path.stat().st_size > LARGEST_READ:
        return False
    content = path.read_bytes()
    # Libraries for encryption hold the well-known keys of their self-tests, compiled.
    return not content.startswith(ELF) and PRIVATE_KEY.search(content) is not None
