"""From the thread to turns: complete, stable, and what waits for an answer."""

from hypothesis import given
from hypothesis import strategies as st

from agent.chat.frames import ThreadMessage
from agent.thread_turns import FRESH_S, to_turn, unanswered
from agent.turns import Channel, Speaker
from tests.support.turns import make_turn


def test_what_the_server_says_is_kept() -> None:
    """A message of our embedded server becomes the same turn again."""
    message = ThreadMessage("Hi", Speaker.USER, "m1", 4, Channel.VOICE, True, "q", 12.5)
    turn = to_turn(message, "c")
    assert (turn.id, turn.seq, turn.channel, turn.interrupted, turn.reply_to) == ("m1", 4, Channel.VOICE, True, "q")
    assert (turn.started_at, turn.speaker) == (12.5, Speaker.USER)


@given(st.text(), st.none() | st.integers())
def test_a_message_without_an_id_gets_the_same_one_each_time(text: str, seq: int | None) -> None:
    """Reading the history twice does not double what a plain guide server sent."""
    message = ThreadMessage(text, seq=seq)
    assert to_turn(message, "c").id == to_turn(message, "c").id


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
