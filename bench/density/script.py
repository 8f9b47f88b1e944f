"""What the callers say: recordings with their own silence, encoded as Opus before the first call."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from bench.clips import LEAD_S, RATE, Clip, Samples, faded, plain_clips, room_tone, speech

PACKET_S = 0.02
BIT_RATE = 32_000
# libopus looks ahead so far: what is heard at a moment is in the packet that begins so much earlier (RFC 7845, 4.2).
LOOK_AHEAD_S = 0.0065
# Room tone at the beginning, which is sent over and over before the first turn.
REST_S = 2.0
TURNS = 12
# Neither a word nor a story, and no pause inside that might be taken for the end: turn taking is measured elsewhere.
SHORTEST_S, LONGEST_S = 1.2, 4.0
# Of these one or the other contender takes the end for a pause, or a part for the whole, or hears nothing: how long
# that takes has nothing to do with load, and would hide what load does to the 95th percentile.
LEFT_OUT = frozenset(
    {
        "aligner_bunch_of_words",
        "aligner_name_by_a_woman",
        "aligner_whisper",
        "both_hands",
        "crosstown_bus",
        "operator_hello_world",
        "operator_who_sent",
    }
)


@dataclass(frozen=True)
class ScriptTurn:
    """A sentence: the packets with its first and its last audible sample."""

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Script:
    """What one kind of caller sends over and over.

    Attributes:
        file: Ogg Opus, 16 kHz mono, a packet of 20 ms on each page.
        rest: how many packets at the beginning are room tone.
        turns: the sentences.
    """

    file: Path
    rest: int
    turns: tuple[ScriptTurn, ...]

    def to_json(self) -> dict[str, Any]:
        """As the caller reads it."""
        turns = [{"name": turn.name, "first": turn.first, "last": turn.last} for turn in self.turns]
        return {"file": str(self.file), "rest": self.rest, "turns": turns}


def write_script(file: Path, every: float, seed: int, count: int = TURNS) -> Script:
    """Choose recordings, and write them with a new one every so many seconds.

    Args:
        file: where the sound is written.
        every: seconds from the beginning of one turn to that of the next.
        seed: chooses the recordings and their order.
        count: how many different ones, until they begin again.
    """
    samples, turns = compose(_chosen(seed, count), every)
    _encode(samples, file)
    return Script(file, round(REST_S / PACKET_S), turns)


def compose(clips: Sequence[Clip], every: float) -> tuple[Samples, tuple[ScriptTurn, ...]]:
    """The clips one after the other, with room tone before, between and after; and where the sentences are.

    Raises:
        ValueError: the turns come faster than the recordings last.
    """
    parts: list[Samples] = [room_tone(clips[0].samples, REST_S)]
    turns = []
    size = round(every / PACKET_S) * round(PACKET_S * RATE)
    for clip in clips:
        begin = sum(map(len, parts)) / RATE
        end = begin + clip.ends_at
        if clip.ends_at > every - REST_S:
            raise ValueError(f"a turn every {every:g} s is too often: {clip.name} alone lasts {clip.ends_at:.1f} s")
        turns.append(ScriptTurn(clip.name, _packet(begin + min(LEAD_S, speech(clip.recording).start)), _packet(end)))
        tone = room_tone(clip.samples, max(0.0, (size - len(clip.samples)) / RATE))
        cycle = np.concatenate([clip.samples, tone])[:size]
        parts.append(faded(cycle, at_start=True, at_end=True))
    return np.concatenate(parts), tuple(turns)


def _packet(seconds: float) -> int:
    return int((seconds + LOOK_AHEAD_S) / PACKET_S)


def _chosen(seed: int, count: int) -> list[Clip]:
    fitting = [
        clip
        for clip in plain_clips()
        if SHORTEST_S <= speech(clip.recording).seconds <= LONGEST_S
        and not clip.recording.pauses
        and clip.name not in LEFT_OUT
    ]
    return random.Random(seed).sample(fitting, min(count, len(fitting)))


def _encode(samples: Samples, file: Path) -> None:
    with av.open(str(file), "w", format="ogg", options={"page_duration": str(round(PACKET_S * 1e6))}) as container:
        options = {"application": "voip", "frame_duration": str(round(PACKET_S * 1000))}
        stream = container.add_stream("libopus", rate=RATE, options=options)
        stream.bit_rate = BIT_RATE
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
