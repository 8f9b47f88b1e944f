"""From the thread to turns: complete, stable, and what waits for an answer."""

from hypothesis import given
from hypothesis import strategies as st

from agent.brains.thread_turns import FRESH_S, to_turn, unanswered
from agent.chat.frames import ThreadMessage
from agent.turns import Channel, Kind, Speaker
from tests.support.turns import make_turn


def test_what_the_server_says_is_kept() -> None:
    """A message of our embedded server becomes the same turn again."""
    message = ThreadMessage("Hi", Speaker.USER, "m1", 4, Channel.VOICE, True, "q", 12.5)
    turn = to_turn(message, "c")
    assert (turn.id, turn.seq, turn.channel, turn.interrupted, turn.reply_to) == ("m1", 4, Channel.VOICE, True, "q")
    assert (turn.started_at, turn.speaker) == (12.5, Speaker.USER)


@given(st.text(), st.integers())
def test_a_numbered_message_without_an_id_gets_the_same_one_each_time(text: str, seq: int) -> None:
    """Reading the history twice does not double what a server without ids sent."""
    message = ThreadMessage(text, seq=seq)
    assert to_turn(message, "c").id == to_turn(message, "c").id


def test_the_same_words_twice_are_two_turns() -> None:
    """A person may say yes twice, at a server that tells nothing but words."""
    assert to_turn(ThreadMessage("Yes"), "c").id != to_turn(ThreadMessage("Yes"), "c").id


def test_only_a_fresh_typed_message_at_the_end_waits_for_an_answer() -> None:
    """What was typed just before the call is answered; old, spoken or answered messages are not."""
    typed = make_turn("Can you hear me?", channel=Channel.CHAT)
    answer = make_turn("Yes.", speaker=Speaker.ASSISTANT, channel=Channel.CHAT)
    now = typed.started_at
    assert unanswered([typed], now=now + FRESH_S - 1) is typed
    assert unanswered([typed], now=now + FRESH_S + 1) is None
    assert unanswered([typed, answer], now=now) is None
    assert unanswered([make_turn("spoken")], now=now) is None
    assert unanswered([], now=now) is None


def test_a_note_is_no_answer_and_no_question() -> None:
    """A tool's result that came last leaves the typed message before it open; a note of the user asks nothing."""
    typed = make_turn("Can you hear me?", channel=Channel.CHAT)
    result = make_turn("21 degrees", speaker=Speaker.ASSISTANT, channel=Channel.CHAT, kind=Kind.TOOL)
    assert unanswered([typed, result], now=typed.started_at) is typed
    assert unanswered([make_turn("a note", channel=Channel.CHAT, kind=Kind.NOTE)], now=typed.started_at) is None
