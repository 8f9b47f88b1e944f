"""From the session's items to turns: words, times and what took how long."""

from livekit.agents import llm

from agent.call.transcript import turn_from_item


def test_an_item_of_the_session_becomes_a_turn_with_its_times() -> None:
    """The turn has the item's id, the moments of speech and the stages' milliseconds."""
    item = llm.ChatMessage(role="assistant", content=["Seven"], id="item_1", interrupted=True)
    item.metrics = {"started_speaking_at": 10.0, "stopped_speaking_at": 12.0, "llm_node_ttft": 0.25, "e2e_latency": 0.9}
    turn = turn_from_item(item, "c", "call", "question")
    assert turn is not None
    assert (turn.id, turn.text, turn.interrupted, turn.reply_to) == ("item_1", "Seven", True, "question")
    assert (turn.started_at, turn.ended_at) == (10.0, 12.0)
    assert (turn.latency.llm_first_token_ms, turn.latency.total_ms, turn.latency.tts_first_byte_ms) == (250, 900, None)


def test_what_nobody_said_is_no_turn() -> None:
    """Instructions, blanks and images do not enter the thread."""
    for item in (
        llm.ChatMessage(role="system", content=["Be kind."]),
        llm.ChatMessage(role="user", content=["  "]),
        llm.ChatMessage(role="user", content=[]),
    ):
        assert turn_from_item(item, "c", "call", None) is None
