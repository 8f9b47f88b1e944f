"""The recordings of people in tests/audio, with their transcripts: `RECORDINGS["card_001"]`."""

import hashlib
import json
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

AUDIO_DIR = Path(__file__).parent.parent / "audio"

Half = Literal["tuning", "judging"]


@dataclass(frozen=True)
class Span:
    """A part of a recording, in seconds from its beginning."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


@dataclass(frozen=True)
class Recording:
    """One recording; `wer_measured` is what the local model made of it when it was added.

    For turn taking: whether the sentence is `finished` at its end, the span of the `speech`, the `pauses` of 0.2 s and
    more inside it, the `gaps` between words where a pause may be put in (seconds), and the `half` of the set that it
    belongs to: rules are tuned on one half and judged on the other (see tests/audio/README.md).
    """

    name: str
    file: str
    transcript: str
    package: str
    licence: str
    speaker: str
    wer_measured: float
    note: str = ""
    finished: bool = True
    speech: Span | None = None
    pauses: tuple[Span, ...] = ()
    gaps: tuple[float, ...] = ()
    half: Half | None = None

    @property
    def path(self) -> Path:
        """The WAV file: 16 bit, mono, 16 or 48 kHz."""
        return AUDIO_DIR / self.file

    @property
    def is_understood(self) -> bool:
        """Whether the local model gets at least four words of five."""
        return self.wer_measured <= 0.2

    def load(self) -> tuple[NDArray[np.int16], int]:
        """The samples and the sample rate in Hz."""
        with wave.open(str(self.path)) as file:
            return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16), file.getframerate()

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        with wave.open(str(self.path)) as file:
            return float(file.getnframes() / file.getframerate())


def half_of(name: str) -> Half:
    """The half that a recording belongs to by its name: nobody can choose it."""
    return "tuning" if int(hashlib.sha256(name.encode()).hexdigest()[0], 16) % 2 == 0 else "judging"


def _parse(name: str, entry: dict[str, Any]) -> Recording:
    speech = entry.pop("speech", None)
    pauses = tuple(Span(*pause) for pause in entry.pop("pauses", ()))
    gaps = tuple(entry.pop("gaps", ()))
    return Recording(name=name, speech=Span(*speech) if speech else None, pauses=pauses, gaps=gaps, **entry)


def _read() -> Mapping[str, Recording]:
    entries = json.loads((AUDIO_DIR / "recordings.json").read_text(encoding="utf-8"))
    return {name: _parse(name, entry) for name, entry in entries.items()}


RECORDINGS: Mapping[str, Recording] = _read()
SPOKEN: Mapping[str, Recording] = {name: r for name, r in RECORDINGS.items() if r.transcript}
