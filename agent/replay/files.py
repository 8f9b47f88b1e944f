"""What a replay leaves behind: `reply.wav`, `turns.jsonl` and `timeline.svg` in a folder."""

import json
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.dev.models.samples import HEARING_RATE, Samples
from agent.dev.models.speech_activity import speech_probabilities
from agent.replay.performance import Performance
from agent.replay.result import ReplayedTurn
from agent.replay.sound import RATE, Sound
from agent.replay.timeline import Picture, timeline


def write_files(
    folder: Path, name: str, subtitle: str, performance: Performance, turns: Sequence[ReplayedTurn]
) -> list[Path]:
    """Write the three files; returns them. The folder is made, files of the same names are replaced.

    Args:
        folder: where.
        name: of the recording, for people.
        subtitle: one line about the whole, for people.
        performance: what happened.
        turns: its turns.

    Raises:
        OSError: the folder or a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reply, lines, picture = folder / "reply.wav", folder / "turns.jsonl", folder / "timeline.svg"
    with wave.open(str(reply), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.stack([performance.caller, performance.agent], axis=1).astype("<i2").tobytes())
    lines.write_text("".join(json.dumps(turn.to_dict(), ensure_ascii=False) + "\n" for turn in turns), encoding="utf-8")
    speech = speech_probabilities(_for_vad(performance.caller))
    picture.write_text(timeline(Picture(name, subtitle, performance, turns, speech)), encoding="utf-8")
    return [reply, lines, picture]


def _for_vad(track: Sound) -> Samples:
    """The track at the VAD's rate, good enough for a picture."""
    at = np.arange(0, len(track), RATE / HEARING_RATE)
    return np.asarray(np.interp(at, np.arange(len(track)), track / 32768.0), np.float32)
