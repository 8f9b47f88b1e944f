"""Where recordings are: `RECORDINGS_DIR/30-days/CALL.ogg`. The folder says how long what is in it is kept."""

import re
from collections.abc import Iterator
from pathlib import Path

SUFFIX = ".ogg"
DAY_S = 86_400.0
_CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_DAYS = re.compile(r"([1-9]\d{0,3})-days")


def path_of(folder: Path, call_id: str, keep_days: int) -> Path:
    """The file of a call's recording; raises ValueError when the id could be no file's name."""
    if not _CALL_ID.fullmatch(call_id):
        raise ValueError("the id of the call is no name for a file")
    return folder / f"{keep_days}-days" / f"{call_id}{SUFFIX}"


def find_recording(folder: Path, call_id: str) -> Path | None:
    """The recording of a call, if there is one."""
    return next((path for path, _ in _recordings(folder) if path.stem == call_id), None)


def remove_old(folder: Path, now: float, most_days: int) -> int:
    """Delete recordings whose last sound is older than they are to be kept; returns how many.

    Args:
        folder: where recordings are; it need not be there.
        now: seconds since the epoch.
        most_days: days after which each is deleted, whatever its folder says.

    Raises:
        OSError: one of them cannot be deleted; the others are.
    """
    removed = 0
    failed: OSError | None = None
    for path, days in list(_recordings(folder)):
        try:
            if path.stat(follow_symlinks=False).st_mtime < now - min(days, most_days) * DAY_S:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue  # another worker was faster
        except OSError as error:
            failed = error
    if failed is not None:
        raise failed
    return removed


def _recordings(folder: Path) -> Iterator[tuple[Path, int]]:
    """Every recording, and how many days it is kept."""
    for path in folder.glob(f"*-days/*{SUFFIX}"):
        if (days := _DAYS.fullmatch(path.parent.name)) and _CALL_ID.fullmatch(path.stem):
            yield path, int(days[1])
