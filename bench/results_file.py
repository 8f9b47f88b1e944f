"""Results of a run, kept to show and draw them again without measuring."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def read_results(path: Path, command: str, needed: Sequence[str]) -> dict[str, Any]:
    """Earlier results, from a file of `--out` or one that holds the line of `--json`.

    Args:
        path: the file.
        command: what makes such results, for the message.
        needed: members without which they are none.

    Raises:
        ValueError: they are none.
    """
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found: dict[str, Any] = read.get("results", read)
    if any(name not in found for name in needed):
        raise ValueError(f"{path} holds no results of `python -m bench {command} --json`")
    return found


def write_results(path: Path, found: dict[str, Any], singles: Mapping[str, Any]) -> None:
    """Write results, and beside them every single one that they were made of, by what these are."""
    path.write_text(json.dumps({"results": found, **singles}, indent=1), encoding="utf-8")
