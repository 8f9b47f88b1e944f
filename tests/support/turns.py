"""Turns for tests."""

import itertools
import time

from agent.turns import Channel, Kind, Speaker, Turn

_numbers = itertools.count(1)


def make_turn(
    text: str = "hello",
    *,
    id: str | None = None,
    conversation: str = "c",
    speaker: Speaker = Speaker.USER,
    channel: Channel = Channel.VOICE,
    interrupted: bool = False,
    kind: Kind = Kind.SPEECH,
) -> Turn:
    """A turn of call `call`, begun now, with an id of its own unless one is given."""
    now = time.time()
    return Turn(
        id=id or f"turn_{next(_numbers)}",
        conversation_id=conversation,
        call_id="call",
        speaker=speaker,
        channel=channel,
        text=text,
        started_at=now,
        ended_at=now,
        interrupted=interrupted,
        kind=kind,
    )
