"""A Chromium for the end-to-end tests: the machine's, else Debian's package, else Playwright's download."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHT_PATH = (
    "from playwright.sync_api import sync_playwright as p\nwith p() as b: print(b.chromium.executable_path)"
)
HOW = "install Chromium (Debian: apt-get install chromium) so that it is on the PATH, or give this machine a network"
INSTALL_SECONDS = 600


class NoBrowserError(RuntimeError):
    """No browser can be had; the message says how to get one."""


def find_browser() -> str:
    """The path of a Chromium that runs, installed first if the machine has none.

    Raises:
        NoBrowserError: none can be had.
    """
    found = _on_path()
    if found is None and _apt():
        found = _on_path()
    found = found or _of_playwright()
    if found is None and _run([sys.executable, "-m", "playwright", "install", "chromium"]):
        found = _of_playwright()
    if found is None:
        raise NoBrowserError(f"no browser for the end-to-end test could be found or installed: {HOW}")
    return found


def _on_path() -> str | None:
    for name in NAMES:
        path = shutil.which(name)
        # Ubuntu's chromium-browser may be a stub that only says how to install it.
        if path is not None and _works(path):
            return path
    return None


def _works(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _apt() -> bool:
    """Install Debian's package where this user may."""
    if shutil.which("apt-get") is None:
        return False
    prefix: list[str] = []
    if os.geteuid() != 0:
        prefix = ["sudo", "-n"]
        if shutil.which("sudo") is None or not _run([*prefix, "true"]):
            return False
    # A fresh container has no package lists yet.
    _run([*prefix, "apt-get", "update", "-q"])
    return _run([*prefix, "apt-get", "install", "-qy", "--no-install-recommends", "chromium"])


def _of_playwright() -> str | None:
    told = subprocess.run(
        [sys.executable, "-c", PLAYWRIGHT_PATH], capture_output=True, text=True, timeout=60, check=False
    )
    path = told.stdout.strip()
    return path if path and _works(path) else None


def _run(command: list[str]) -> bool:
    sys.stderr.write(f"browser: {' '.join(command)}\n")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=env, stdout=sys.stderr, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    try:
        sys.stdout.write(f"browser: {find_browser()}\n")
    except NoBrowserError as error:
        sys.exit(f"error: {error}")
