"""What a replay shows: its turns with times from the start, and how long the caller waited. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.replay.audibility import audible_windows, last_before
from agent.replay.loudspeaker import Utterance
from agent.replay.performance import Performance
from agent.replay.sound import RATE, Sound
from agent.turns import Channel, Latency, Speaker, Turn

# The library dates a reply by its first frame, as an utterance is dated: they differ by rounding at most.
SAME_MOMENT_S = 0.05


@dataclass(frozen=True, slots=True)
class ReplayedTurn:
    """One turn; times in seconds from the start of the recording.

    Args:
        number: from 1, in the order of the conversation.
        speaker: `user` or `assistant`.
        channel: `voice`, or `room` for what was typed.
        text: the words.
        start: when it began.
        end: when it ended.
        interrupted: whether it was cut off.
        reply_to: the number of the turn that it answers.
        voice_to_voice_ms: from the caller's last audible sample to the reply's first one; for a spoken turn's answer.
        latency: of the stages, as the library reports them.
    """

    number: int
    speaker: Speaker
    channel: Channel
    text: str
    start: float
    end: float
    interrupted: bool
    reply_to: int | None
    voice_to_voice_ms: int | None
    latency: Latency

    def to_dict(self) -> dict[str, Any]:
        """The members of one line of `turns.jsonl`; the times of the stages are members of their own."""
        members = asdict(self)
        return {**members, "latency": {key: value for key, value in members["latency"].items() if value is not None}}


def replayed_turns(performance: Performance, speech: Sound | None = None) -> list[ReplayedTurn]:
    """The turns of a performance, in order.

    Args:
        performance: what happened.
        speech: the caller's track without its noise, where that is known: from it the end of speech is measured.
    """
    numbers = {turn.id: number for number, turn in enumerate(performance.turns, start=1)}
    audible = audible_windows(performance.caller if speech is None else speech)
    spoken = {turn.id for turn in performance.turns if turn.channel is Channel.VOICE}
    return [
        ReplayedTurn(
            number=numbers[turn.id],
            speaker=turn.speaker,
            channel=turn.channel,
            text=turn.text,
            start=round(turn.started_at - performance.begun_at, 3),
            end=round(turn.ended_at - performance.begun_at, 3),
            interrupted=turn.interrupted,
            reply_to=numbers.get(turn.reply_to or ""),
            voice_to_voice_ms=_voice_to_voice(turn, performance, audible) if turn.reply_to in spoken else None,
            latency=turn.latency,
        )
        for turn in performance.turns
    ]


def utterance_of(turn: Turn, performance: Performance) -> Utterance | None:
    """The stretch of speech in which a turn of the agent was spoken."""
    started = turn.started_at - performance.begun_at
    near = [u for u in performance.utterances if abs(u.began - started) <= SAME_MOMENT_S]
    return near[0] if near and turn.speaker is Speaker.ASSISTANT else None


def _voice_to_voice(turn: Turn, performance: Performance, audible: NDArray[np.bool_]) -> int | None:
    utterance = utterance_of(turn, performance)
    if utterance is None or utterance.audible is None:
        return None
    said = last_before(audible, utterance.audible)
    return None if said is None else round((utterance.audible - said) * 1000)


def summary(turns: Sequence[ReplayedTurn], performance: Performance) -> dict[str, Any]:
    """The members of the object that `--json` prints, but for what is of this run alone."""
    waits = [turn.voice_to_voice_ms for turn in turns if turn.voice_to_voice_ms is not None]
    return {
        "seconds": round(len(performance.caller) / RATE, 3),
        "turns": [turn.to_dict() for turn in turns],
        "voice_to_voice_ms": {
            "median": round(statistics.median(waits)) if waits else None,
            "worst": max(waits, default=None),
            "replies": len(waits),
        },
        "interrupted": sum(turn.interrupted for turn in turns),
    }
