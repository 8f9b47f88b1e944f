"""The parsers on any input at all: a typed result or a clean error, never an exception."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dev.chat.thread.messages import MAX_TEXT
from agent.dev.chat.wire.actions import Attach, Bad, Caption, Ping, Post
from agent.dev.chat.wire.guide import GUIDE
from agent.dev.chat.wire.unpod import UNPOD, event_of

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
)
WORDS = st.sampled_from(
    ["next", "append", "partial", "attach", "user", "assistant", "voice", "text", "text_msg", "question", "2026-01-01"]
)
JSON = st.recursive(
    SCALARS | WORDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)
NAMES = st.sampled_from(
    ["action", "message", "text", "id", "role", "channel", "interrupted", "reply_to", "created_at", "execution_type"]
)
GUIDE_FRAMES = st.fixed_dictionaries(
    {"event": st.just("action") | JSON, "data": st.dictionaries(NAMES, WORDS | JSON, max_size=6) | JSON}
)
BLOCK = st.fixed_dictionaries(
    {"block": st.just("text") | JSON, "block_type": WORDS | JSON}
    | {"data": st.dictionaries(st.sampled_from(["content", "conversation_type"]), JSON, max_size=2) | JSON}
)
UNPOD_FRAMES = st.fixed_dictionaries(
    {"event": st.sampled_from(["block", "action", "ping"]) | JSON, "data": BLOCK | GUIDE_FRAMES | JSON}
)

# A loaded machine may be slow; that is no failure.
ANY_TIME = settings(deadline=None, max_examples=80)


def check(action: Any) -> None:
    assert isinstance(action, Post | Caption | Attach | Ping | Bad)
    if isinstance(action, Post):
        assert action.text.strip()
        assert len(action.text) <= MAX_TEXT
        action.text.encode()


@ANY_TIME
@given(GUIDE_FRAMES | JSON | st.fixed_dictionaries({"batch": st.lists(GUIDE_FRAMES | JSON, max_size=4) | JSON}))
def test_any_json_is_a_guide_action_or_an_error(frame: Any) -> None:
    """Whatever JSON comes, each part is a typed action or a `Bad`."""
    for action in GUIDE.parse(json.dumps(frame)):
        check(action)


@ANY_TIME
@given(UNPOD_FRAMES | JSON)
def test_any_json_is_an_unpod_action_or_an_error(frame: Any) -> None:
    """Whatever JSON comes, it is a typed action, a `Bad`, or an action without use here."""
    raw = json.dumps(frame)
    assert isinstance(event_of(raw), str | None)
    for action in UNPOD.parse(raw):
        check(action)


@ANY_TIME
@given(st.text() | st.floats().map(json.dumps))
def test_any_text_is_taken(raw: str) -> None:
    """What is no JSON is an error too."""
    for action in GUIDE.parse(raw):
        check(action)
    for action in UNPOD.parse(raw):
        check(action)


@pytest.mark.parametrize("raw", ["[" * 200_000, '{"a":' * 200_000, "9" * 10_000, "NaN", '{"event":NaN}', "\ud800"])
def test_hostile_json_is_an_error(raw: str) -> None:
    """Depth, huge numbers and numbers that are none are refused cleanly."""
    assert isinstance(GUIDE.parse(raw)[0], Bad)
    assert isinstance(UNPOD.parse(raw)[0], Bad)


@ANY_TIME
@given(st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=3))
def test_unknown_fields_are_ignored(extra: dict[str, Any]) -> None:
    """Fields that nobody knows change nothing."""
    data = {"action": "next", "execution_type": "chat", "message": "Hello"}
    unknown = {f"x_{name}": value for name, value in extra.items()}
    frame = {"event": "action", "data": {**data, **unknown}, **unknown}
    assert GUIDE.parse(json.dumps(frame)) == GUIDE.parse(json.dumps({"event": "action", "data": data}))
