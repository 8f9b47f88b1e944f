"""From the library's chat items to turns: the words as they stand, when they were said, and how long it took."""

import time
from dataclasses import replace

from livekit.agents import llm

from agent.turns import Channel, Latency, Speaker, Turn, readable
from plugins.turn_actions import Final


def turn_from_item(item: llm.ChatMessage, conversation_id: str, call_id: str, reply_to: str | None) -> Turn | None:
    """The turn of a message that the session added to its history; None for what nobody said (instructions, blanks).

    The library's item keeps its id from the first guess to the last word, so it is the turn's id.

    Args:
        item: the message, with the metrics of livekit-agents 1.8 (seconds).
        conversation_id: the thread.
        call_id: the call.
        reply_to: the user's turn that an assistant's message answers.
    """
    text = readable(item.text_content or "").strip()
    if not text or item.role not in (Speaker.USER, Speaker.ASSISTANT):
        return None
    speaker = Speaker(item.role)
    metrics = item.metrics
    started_at = metrics.get("started_speaking_at") or item.created_at
    return Turn(
        id=item.id,
        conversation_id=conversation_id,
        call_id=call_id,
        speaker=speaker,
        channel=Channel.VOICE,
        text=text,
        started_at=started_at,
        ended_at=max(metrics.get("stopped_speaking_at") or time.time(), started_at),
        interrupted=item.interrupted,
        reply_to=reply_to if speaker is Speaker.ASSISTANT else None,
        latency=Latency(
            transcription_ms=_milliseconds(metrics.get("transcription_delay")),
            end_of_turn_ms=_milliseconds(metrics.get("end_of_turn_delay")),
            llm_first_token_ms=_milliseconds(metrics.get("llm_node_ttft")),
            tts_first_byte_ms=_milliseconds(metrics.get("tts_node_ttfb")),
            total_ms=_milliseconds(metrics.get("e2e_latency")),
        ),
    )


def with_endpoint(turn: Turn, final: Final) -> Turn:
    """A user's turn with what its end was decided on."""
    latency = replace(turn.latency, silence_ms=_milliseconds(final.silence), attempts=final.attempts)
    return replace(turn, latency=latency)


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
