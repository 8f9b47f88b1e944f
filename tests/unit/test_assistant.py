"""What the model is told: the thread before the call, and which words were typed."""

from livekit.agents import llm

from agent.assistant import TYPED_MARK, mark_typed, to_chat_context
from agent.transcript import turn_from_item
from agent.turns import Channel, Speaker
from tests.support.turns import make_turn


def texts(context: llm.ChatContext) -> list[str | None]:
    return [item.text_content for item in context.items if item.type == "message"]


def test_the_context_is_the_thread_in_order() -> None:
    """Each turn is one message with the turn's id and role."""
    turns = [make_turn("Hello", id="a"), make_turn("Hi", id="b", speaker=Speaker.ASSISTANT, channel=Channel.CHAT)]
    context = to_chat_context(turns)
    assert [(item.id, item.role) for item in context.items if item.type == "message"] == [
        ("a", "user"),
        ("b", "assistant"),
    ]
    assert texts(context) == ["Hello", "Hi"]


def test_only_what_a_person_typed_is_marked() -> None:
    """The model can tell typed from spoken; the history itself stays unmarked."""
    turns = [
        make_turn("spoken", id="v"),
        make_turn("typed", id="t", channel=Channel.CHAT),
        make_turn("in the room", id="r", channel=Channel.ROOM),
        make_turn("answer", id="a", speaker=Speaker.ASSISTANT, channel=Channel.CHAT),
    ]
    context = to_chat_context(turns)
    marked = mark_typed(context, {turn.id: turn for turn in turns}.get)
    assert texts(marked) == ["spoken", TYPED_MARK + "typed", TYPED_MARK + "in the room", "answer"]
    assert texts(context) == ["spoken", "typed", "in the room", "answer"]


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
