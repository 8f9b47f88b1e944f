"""`python -m agent replay FILE`: from the command line to files, table and JSON."""

import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from agent.job import Job, parse_job
from agent.job.model_choice import check_models
from agent.logs import configure_logging
from agent.replay.files import write_files
from agent.replay.performance import Performance, ReplayedCall
from agent.replay.result import ReplayedTurn, replayed_turns, summary
from agent.replay.sound import RATE, Recording, Sound, load_sound
from agent.replay.studio import Studio
from agent.replay.table import print_turns
from agent.settings import Settings

DEFAULT_JOB = '{"conversation_id": "replay"}'


class ReplayError(RuntimeError):
    """A replay cannot be made; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Args:
        file: the recording.
        job_file: the metadata of a dispatch, as JSON; None for the defaults.
        out: the folder for what is written; None for one named after the recording.
        fast: whether time jumps.
        greet: whether the agent begins.
        json_output: whether the last line printed is one JSON object.
    """

    file: Path
    job_file: Path | None
    out: Path | None
    fast: bool
    greet: bool
    json_output: bool


def replay(request: Request, settings: Settings) -> None:
    """Replay one recording, write the files, and print the table.

    Raises:
        SoundError: the recording cannot be used.
        JobError: the job cannot be used.
        SettingsError: the settings name what cannot be used here.
        ReplayError: a file cannot be read or written.
    """
    recording = load_sound(request.file)
    job = _job(request.job_file)
    check_models(job, settings)
    # A person wants to see the table; what a call says of itself is of interest when something is wrong.
    configure_logging("WARNING" if settings.log_level == "INFO" else settings.log_level)
    begun = time.monotonic()
    notes = Console(stderr=True)
    with notes.status("loading the models"), Studio(settings, fast=request.fast) as studio:
        how = "as fast as it goes" if request.fast else "in real time"
        notes.print(f"[dim]{request.file.name}: {len(recording) / RATE:.1f} s, {how}[/]", highlight=False)
        performance = studio.perform(
            job,
            lambda models: ReplayedCall(settings, job, models, Recording(recording)).run(greet=request.greet),
        )
    turns = replayed_turns(performance)
    out = request.out or Path(f"{request.file.stem}-replay")
    files = _write(out, request, performance, turns)
    console = Console()
    console.print()
    print_turns(console, turns)
    console.print(f"\n[dim]{out}/[/]  {'  '.join(file.name for file in files)}", highlight=False)
    if request.json_output:
        result = summary(turns, performance)
        of_this_run = {"wall_seconds": round(time.monotonic() - begun, 2), "files": [str(file) for file in files]}
        head = {"recording": str(request.file), "fast": request.fast, "greet": request.greet}
        console.file.write(json.dumps({**head, **result, **of_this_run}, ensure_ascii=False) + "\n")


def _job(file: Path | None) -> Job:
    if file is None:
        return parse_job(DEFAULT_JOB)
    try:
        return parse_job(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReplayError(f"{file}: {getattr(error, 'strerror', None) or 'not a text in UTF-8'}") from None


def _write(out: Path, request: Request, performance: Performance, turns: list[ReplayedTurn]) -> list[Path]:
    try:
        return write_files(out, request.file.name, _subtitle(request, performance.caller, turns), performance, turns)
    except OSError as error:
        raise ReplayError(f"{error.filename or out}: {error.strerror}") from None


def _subtitle(request: Request, caller: Sound, turns: list[ReplayedTurn]) -> str:
    waits = [turn.voice_to_voice_ms for turn in turns if turn.voice_to_voice_ms is not None]
    middle = f"{round(statistics.median(waits)):,} ms" if waits else ""
    waited = f"voice to voice {middle} (median of {len(waits)})" if waits else "no spoken reply"
    time_ran = "time jumped, the models took their stated times" if request.fast else "in real time"
    return f"{len(caller) / RATE:.1f} s · {waited} · {time_ran}"
