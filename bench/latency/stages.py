"""What the contenders' own libraries measured of each turn, put beside what was heard."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.journal.opening import FILE_NAME
from agent.journal.sqlite import SqliteJournal
from agent.turns import Speaker
from bench.latency.turn import HeardTurn, Stages

StageSource = Callable[[Sequence[HeardTurn]], Awaitable[list[HeardTurn]]]

# A message belongs to the answer that was heard within so many seconds of its first frame.
NEAR_S = 1.0
# More than any run tells one contender.
MOST_TURNS = 10_000


@dataclass(frozen=True)
class _Reported:
    """A reply as the library reports it, and when it began to play, in seconds since the epoch."""

    started_at: float
    stages: Stages


def from_journal(data_dir: Path, conversation: str) -> StageSource:
    """The stages in the journal of this agent."""

    async def read(turns: Sequence[HeardTurn]) -> list[HeardTurn]:
        journal = await asyncio.to_thread(SqliteJournal, data_dir / FILE_NAME)
        try:
            kept = await journal.latest_turns(conversation, MOST_TURNS)
        finally:
            journal.close()
        users = {turn.id: turn.latency for turn in kept if turn.speaker is Speaker.USER}
        reported = []
        for turn in kept:
            if turn.speaker is Speaker.ASSISTANT:
                asked, answered = users.get(turn.reply_to or ""), turn.latency
                stages = Stages(
                    transcription_ms=asked.transcription_ms if asked else None,
                    end_of_turn_ms=asked.end_of_turn_ms if asked else None,
                    silence_ms=asked.silence_ms if asked else None,
                    llm_first_token_ms=answered.llm_first_token_ms,
                    tts_first_byte_ms=answered.tts_first_byte_ms,
                    library_ms=answered.total_ms,
                )
                reported.append(_Reported(turn.started_at, stages))
        return _beside(turns, reported)

    return read


def from_lines(metrics_file: Path) -> StageSource:
    """The stages in the file that the stock worker writes."""

    async def read(turns: Sequence[HeardTurn]) -> list[HeardTurn]:
        lines = await asyncio.to_thread(metrics_file.read_text)
        reported = []
        asked: Mapping[str, float] = {}
        for message in map(json.loads, lines.splitlines()):
            if message.pop("role") == "user":
                asked = message
            elif "started_speaking_at" in message:
                stages = Stages(
                    transcription_ms=_milliseconds(asked.get("transcription_delay")),
                    end_of_turn_ms=_milliseconds(asked.get("end_of_turn_delay")),
                    llm_first_token_ms=_milliseconds(message.get("llm_node_ttft")),
                    tts_first_byte_ms=_milliseconds(message.get("tts_node_ttfb")),
                    library_ms=_milliseconds(message.get("e2e_latency")),
                )
                reported.append(_Reported(message["started_speaking_at"], stages))
        return _beside(turns, reported)

    return read


async def nothing(turns: Sequence[HeardTurn]) -> list[HeardTurn]:
    """For a contender that says nothing of its own times."""
    return list(turns)


def _beside(turns: Sequence[HeardTurn], reported: Sequence[_Reported]) -> list[HeardTurn]:
    matched = []
    for turn in turns:
        at = turn.replied_at
        near = [reply for reply in reported if at is not None and abs(reply.started_at - at) <= NEAR_S]
        nearest = min(near, key=lambda reply: abs(reply.started_at - (at or 0.0)), default=None)
        matched.append(turn if nearest is None else replace(turn, stages=nearest.stages))
    return matched


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
