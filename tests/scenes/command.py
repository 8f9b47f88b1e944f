"""Play scenes and print how they went; `--out DIR` leaves sound and pictures."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from agent.logs import configure_logging
from tests.scenes.check import Verdict, check
from tests.scenes.play import ScenePlayer, scene_player, write_played
from tests.scenes.ratchet import tightened
from tests.scenes.room import SLACK_MS, play_in_room
from tests.scenes.script import SCENES_DIR, load_scene, scene_files
from tests.support.stack import running_stack

Result = tuple[Path, list[Verdict], float]


def main() -> int:
    """Play what was asked for; the exit status says whether everything was as expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.scenes", description=__doc__)
    parser.add_argument("names", nargs="*", help="scenes, without .yaml; none for all")
    parser.add_argument("--out", type=Path, help="a folder for sound, turns and picture of each scene")
    parser.add_argument("--room", action="store_true", help="in a real room, with the whole stack, in real time")
    parser.add_argument("--tighten", action="store_true", help="take `today` out of the files where it is not needed")
    parser.add_argument("--serve", action="store_true", help="read names line by line, print each verdict as JSON")
    given = parser.parse_args()
    configure_logging("WARNING")
    if given.serve:
        return _serve(given.out)
    files = [SCENES_DIR / f"{name}.yaml" for name in given.names] or scene_files()
    console = Console()
    failed = 0
    for file, verdicts, seconds in _in_room(files) if given.room else _in_virtual_time(files, given.out):
        if given.tighten and not given.room:
            file.write_text(tightened(file.read_text(encoding="utf-8"), verdicts), encoding="utf-8")
        failed += not all(verdict.holds for verdict in verdicts)
        _print(console, file, verdicts, seconds)
    console.print(f"{len(files) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _in_virtual_time(files: list[Path], out: Path | None) -> Iterator[Result]:
    with scene_player() as player:
        for file in files:
            begun = time.monotonic()
            yield file, _play(player, file, out), time.monotonic() - begun


def _in_room(files: list[Path]) -> Iterator[Result]:
    """The whole stack is started once; the scenes are played one after the other."""
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory(prefix="scenes-") as folder:
        stack = running_stack(Path(folder) / "data")
        running = runner.run(stack.__aenter__())
        try:
            for file in files:
                scene, begun = load_scene(file), time.monotonic()
                witnessed = runner.run(play_in_room(running, scene))
                yield file, check(scene, witnessed, slack_ms=SLACK_MS), time.monotonic() - begun
        finally:
            runner.run(stack.__aexit__(None, None, None))


def _serve(out: Path | None) -> int:
    """For the tests: one process holds the models for all scenes."""
    with scene_player() as player:
        for line in sys.stdin:
            verdicts = _play(player, SCENES_DIR / f"{line.strip()}.yaml", out)
            result = [{"expected": str(v.expected), "holds": v.holds, "found": v.found} for v in verdicts]
            print(json.dumps(result), flush=True)  # noqa: T201
    return 0


def _play(player: ScenePlayer, file: Path, out: Path | None) -> list[Verdict]:
    scene = load_scene(file)
    played = player.play(scene)
    if out is not None:
        write_played(out / file.stem, scene, played)
    return check(scene, played.witnessed)


def _print(console: Console, file: Path, verdicts: list[Verdict], seconds: float) -> None:
    console.print(f"[bold]{file.stem}[/]  [dim]{seconds:.1f} s[/]", highlight=False)
    for verdict in verdicts:
        mark = "[green]✓[/]" if verdict.holds else "[red]✗[/]"
        today = " [yellow](not as wanted yet)[/]" if verdict.expected.today is not None else ""
        console.print(f"  {mark} {verdict.expected}: [dim]{verdict.found}[/]{today}", highlight=False)
