"""What each judge says at each moment: v1-mini, Smart Turn, the voice activity detector, the words so far, and how
unfinished they read."""

import asyncio
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from livekit.local_inference import EOT, EOT_MAX_SAMPLES, VAD, VAD_WINDOW_SAMPLES

from agent.dev.models.transcription import MoonshineEngine
from bench.clips import Samples
from bench.turns.moments import DELAYS_MS, Kind, Moment
from bench.venvs import SMART_TURN, ensure_venv
from tests.support.recordings import Half

# When the speculative transcript is made.
TRANSCRIPT_AT_MS = 150
_SCRIPT = Path(__file__).parent / "smart_turn_scores.py"


@dataclass(frozen=True)
class Score:
    """One line of the table: a moment at one delay.

    Attributes:
        recording: the name of the recording.
        half: the half of the set that it belongs to.
        kind: see `Moment`.
        at: when the speech stopped, in seconds from shortly before its beginning.
        pause: how long the pause lasts in seconds, where that is known.
        delay_ms: how long it had been silent.
        v1_mini: probability of the turn's end by livekit's on-device model, of the last 1.2 s.
        smart_turn: the same by Smart Turn v3.2, of the last 8 s; None when it was left out.
        speech: probability by the voice activity detector that somebody speaks in the last 32 ms.
        text: what the local model transcribes 150 ms after the stop.
        unfinished: how unfinished that text reads; see `agent.dev.models.sentence_reader`.
    """

    recording: str
    half: Half
    kind: Kind
    at: float
    pause: float | None
    delay_ms: int
    v1_mini: float
    smart_turn: float | None
    speech: float
    text: str
    unfinished: float

    @property
    def is_end(self) -> bool:
        """Whether the turn is over: an answer is due."""
        return self.kind == "end"

    def to_row(self) -> dict[str, object]:
        """The members by name, for JSON and CSV."""
        return asdict(self)


def read_scores(path: Path) -> list[Score]:
    """Earlier scores, as `--out` writes them in JSON.

    Raises:
        ValueError: they are not of this version.
    """
    try:
        return [Score(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} has no scores of this version, make them anew with --out ({error})") from error


async def score_all(
    moments: Sequence[Moment], cache: Path, say: Callable[[str], None], *, with_smart_turn: bool
) -> list[Score]:
    """Ask every judge at every moment and delay.

    Args:
        moments: the stops.
        cache: where the environment of Smart Turn is kept.
        say: told what is being done.
        with_smart_turn: whether Smart Turn is asked too; its environment needs PyPI the first time.

    Raises:
        VenvError: that environment cannot be made.
    """
    asked = [(moment, delay) for moment in moments for delay in DELAYS_MS if moment.has(delay)]
    smart: Sequence[float | None] = [None] * len(asked)
    if with_smart_turn:
        say(f"Smart Turn: {len(asked)} moments")
        smart = await _smart_turn([moment.heard(delay) for moment, delay in asked], cache, say)
    say(f"transcripts: {len(moments)} stops")
    read = await _transcripts(moments)
    say(f"v1-mini and voice activity: {len(asked)} moments")
    return await asyncio.to_thread(_fast_scores, asked, smart, read)


async def _transcripts(moments: Sequence[Moment]) -> dict[int, tuple[str, float]]:
    """The words of each moment, by its id, and how unfinished they read."""
    engine = MoonshineEngine()
    await engine.load()
    try:
        found = {}
        for moment in moments:
            text = await _words(engine, moment.heard(TRANSCRIPT_AT_MS))
            found[id(moment)] = text, round(await engine.unfinished(text), 4)
        return found
    finally:
        engine.close()


async def _words(engine: MoonshineEngine, heard: Samples) -> str:
    samples = (heard.astype(np.float32) / 32768).astype(np.float32)
    return " ".join([segment.text async for segment in engine.transcribe(samples)])


async def _smart_turn(utterances: Sequence[Samples], cache: Path, say: Callable[[str], None]) -> list[float]:
    python = await ensure_venv(SMART_TURN, cache, say)
    with tempfile.TemporaryDirectory(prefix="smart-turn-") as folder:
        source, target = Path(folder) / "utterances.npz", Path(folder) / "scores.json"
        np.savez(source, **{str(index): heard / 32768 for index, heard in enumerate(utterances)})  # type: ignore[arg-type]
        process = await asyncio.create_subprocess_exec(str(python), str(_SCRIPT), str(source), str(target))
        try:
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status:
            raise RuntimeError(f"Smart Turn ended with {status}")
        scores: list[float] = json.loads(target.read_text())
        return scores


def _fast_scores(
    asked: Sequence[tuple[Moment, int]], smart: Sequence[float | None], read: dict[int, tuple[str, float]]
) -> list[Score]:
    scores = []
    with EOT() as detector, VAD() as activity:
        for (moment, delay), complete in zip(asked, smart, strict=True):
            heard = moment.heard(delay)
            text, unfinished = read[id(moment)]
            scores.append(
                Score(
                    recording=moment.recording,
                    half=moment.half,
                    kind=moment.kind,
                    at=round(moment.at, 3),
                    pause=None if moment.pause is None else round(moment.pause, 3),
                    delay_ms=delay,
                    v1_mini=round(float(detector.predict(heard[-EOT_MAX_SAMPLES:])), 4),
                    smart_turn=None if complete is None else round(complete, 4),
                    speech=round(_speech(activity, heard), 4),
                    text=text,
                    unfinished=unfinished,
                )
            )
    return scores


def _speech(activity: VAD, heard: Samples) -> float:
    activity.reset()
    probability = 0.0
    for start in range(len(heard) % VAD_WINDOW_SAMPLES, len(heard), VAD_WINDOW_SAMPLES):
        probability = float(activity.predict(heard[start : start + VAD_WINDOW_SAMPLES]))
    return probability
