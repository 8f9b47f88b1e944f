"""Turns and their forms on disk and on the wire."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.turns import Channel, Kind, Latency, Speaker, Turn, from_timestamp, to_timestamp

texts = st.text()
moments = st.floats(min_value=0, max_value=4e9)
turns = st.builds(
    Turn,
    id=texts,
    conversation_id=texts,
    speaker=st.sampled_from(Speaker),
    channel=st.sampled_from(Channel),
    text=texts,
    started_at=moments,
    ended_at=moments,
    call_id=st.none() | texts,
    interrupted=st.booleans(),
    reply_to=st.none() | texts,
    latency=st.builds(Latency, total_ms=st.none() | st.integers()),
    seq=st.none() | st.integers(),
    kind=st.sampled_from(Kind),
)


@given(turns)
def test_a_turn_survives_the_journal(turn: Turn) -> None:
    """What is written is what is read, for any text."""
    assert Turn.from_json(turn.to_json()) == turn


@given(turns)
def test_an_older_worker_reads_what_was_said(turn: Turn) -> None:
    """A journal may be read by the version before: it knows turns without a kind."""
    assert ("kind" in json.loads(turn.to_json())) == (turn.kind is not Kind.SPEECH)


@given(moments)
def test_a_time_stamp_survives_the_wire_to_the_millisecond(moment: float) -> None:
    """ISO 8601 with milliseconds and Z, and back."""
    text = to_timestamp(moment)
    assert text.endswith("Z")
    assert from_timestamp(text) == pytest.approx(moment, abs=0.0011)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-24T10:00:00"])
def test_a_time_without_a_zone_is_refused(text: str) -> None:
    """A time that could mean any hour is no time stamp."""
    with pytest.raises(ValueError, match=r".+"):
        from_timestamp(text)
