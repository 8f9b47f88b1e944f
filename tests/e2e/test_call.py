"""Calls by LiveKit's own SDK: what it hears, reads and sends, and what then stands in the thread."""

import asyncio
import time
import uuid
from typing import Any

import pytest

from agent.job import DEFAULT_GREETING
from tests.support.caller import HEARD_RATE, Caller, call
from tests.support.ears import transcribe_samples
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack
from tests.support.thread_client import ThreadClient
from tests.support.wer import word_error_rate, words

pytestmark = pytest.mark.asyncio(loop_scope="session")

AMIABLE = RECORDINGS["sense_and_sensibility_0930"]
LONG_TEXT = (
    "Please read this aloud: the quick brown fox jumps over the lazy dog, and then the dog sleeps in the warm sun, "
    "while seven white geese walk along the river and a small boat carries apples to the market in the old town."
)


@pytest.fixture
def conversation() -> str:
    """A conversation of its own."""
    return f"c_{uuid.uuid4().hex[:12]}"


async def test_a_spoken_turn_is_heard_answered_and_written(stack: RunningStack, conversation: str) -> None:
    """The reply can be heard, the captions are in the room, and the thread holds each turn once."""
    async with call(*await joined(stack, conversation)) as caller:
        await greeted(caller)
        spoken_at = await caller.say(*AMIABLE.load())
        await caller.until_agent_speaks(spoken_at)
        await caller.until_agent_is_silent()
        heard = await transcribe_samples(stack.models, caller.heard.samples(spoken_at), HEARD_RATE)
        assert word_error_rate(f"you said {AMIABLE.transcript}", heard) <= 0.2
        captions = [caption.text for caption in caller.captions if caption.final]
    greeting, said, answer = await stack.until_thread(conversation, 3)
    assert texts([greeting]) == [("assistant", "voice", words(DEFAULT_GREETING))]
    assert (said["role"], said["channel"], answer["role"], answer["channel"]) == ("user", "voice", "assistant", "voice")
    assert word_error_rate(AMIABLE.transcript, said["text"]) <= 0.2
    assert answer["text"] == f"You said: {said['text']}"
    assert answer["reply_to"] == said["id"]
    assert captions == [greeting["text"], said["text"], answer["text"]]


async def test_text_in_the_room_is_answered_aloud(stack: RunningStack, conversation: str) -> None:
    """What is sent to `lk.chat` is a turn like any other."""
    async with call(*await joined(stack, conversation)) as caller:
        await greeted(caller)
        sent_at = time.monotonic()
        await caller.send_text("My name is Ana.")
        await caller.until_agent_speaks(sent_at)
        await caller.until_agent_is_silent()
    thread = await stack.until_thread(conversation, 3)
    assert texts(thread)[1] == ("user", "room", words("My name is Ana."))
    assert "Ana" in thread[2]["text"]


async def test_speech_interrupts_the_agent(stack: RunningStack, conversation: str) -> None:
    """The agent stops, the thread holds what was heard of its reply, and the new words are answered."""
    async with call(*await joined(stack, conversation)) as caller:
        await greeted(caller)
        begun = await long_reply(caller)
        interrupted_at = await caller.say(*AMIABLE.load())
        await stack.until_thread(conversation, 5)
        await caller.until_agent_speaks(interrupted_at)
        await caller.until_agent_is_silent()
        heard = await transcribe_samples(stack.models, caller.heard.samples(begun), HEARD_RATE)
    cut, said, answer = (await stack.thread(conversation))[2:5]
    assert cut["interrupted"]
    assert len(cut["text"]) < len(LONG_TEXT)
    assert (said["role"], said["channel"]) == ("user", "voice")
    assert word_error_rate(AMIABLE.transcript, said["text"]) <= 0.2
    assert not answer["interrupted"]
    assert "amiable" in answer["text"]
    assert "old town" not in heard


async def test_a_message_typed_in_the_chat_interrupts_and_is_answered_aloud(
    stack: RunningStack, conversation: str
) -> None:
    """A person who types while the agent speaks is answered at once, in the thread and aloud."""
    async with call(*await joined(stack, conversation)) as caller, ThreadClient.open(stack, conversation) as chat:
        await greeted(caller)
        await long_reply(caller)
        typed_at = time.monotonic()
        await chat.type("What did I send first?", id="typed-1")
        answer = await chat.until(lambda m: m["role"] == "assistant" and m["reply_to"] == "typed-1")
        assert (answer["channel"], answer["interrupted"]) == ("voice", False)
        await caller.until_agent_speaks(typed_at)
    thread = await stack.thread(conversation)
    assert [m["id"] for m in thread].count("typed-1") == 1
    cut = next(m for m in thread if m["interrupted"])
    assert len(cut["text"]) < len(LONG_TEXT)


async def test_captions_and_thinking_are_shown_while_a_turn_is_not_final(
    stack: RunningStack, conversation: str
) -> None:
    """The chat sees that somebody speaks, what they have said so far, and that the agent speaks."""
    async with call(*await joined(stack, conversation)) as caller, ThreadClient.open(stack, conversation) as chat:
        await greeted(caller)
        await caller.say(*RECORDINGS["sense_and_sensibility_0920"].load())
        await chat.until(lambda m: m["role"] == "assistant" and "amiable" in m["text"])
    user = [frame for frame in chat.typing if frame["role"] == "user" and frame["active"]]
    agent = [frame for frame in chat.typing if frame["role"] == "assistant" and frame["active"]]
    assert any("amiable" in (frame.get("text") or "") for frame in user)
    assert any("You said" in (frame.get("text") or "") for frame in agent)


async def test_a_second_call_knows_the_first(stack: RunningStack, conversation: str) -> None:
    """What was said in one call and typed after it is known in the next."""
    async with call(*await joined(stack, conversation)) as caller:
        await greeted(caller)
        await caller.say(*AMIABLE.load())
        await stack.until_thread(conversation, 3)
    async with ThreadClient.open(stack, conversation) as chat:
        await chat.type("My lucky number is nine.")
        await chat.until(lambda m: m["role"] == "assistant" and "nine" in m["text"])
    async with call(*await joined(stack, conversation)) as caller:
        await greeted(caller)
        await caller.send_text("What did I say first?")
        await stack.until_thread(conversation, 8)
        await caller.send_text("What did I type first?")
        thread = await stack.until_thread(conversation, 10)
    assert word_error_rate(f"you said {AMIABLE.transcript}", thread[-3]["text"]) <= 0.2
    assert thread[-1]["text"] == "You typed: My lucky number is nine."


@pytest.mark.parametrize(
    ("job", "named"),
    [
        ({"colour": "green"}, "unknown key 'colour'"),
        ({"agent": {"voice": 7}}, "key 'agent.voice'"),
        ({"modality": "smell"}, "key 'modality'"),
    ],
)
async def test_metadata_that_cannot_be_used_refuses_the_job(
    stack: RunningStack, conversation: str, job: dict[str, Any], named: str
) -> None:
    """The log names the key and not its value, nobody joins, and the next call is well."""
    url, token = await joined(stack, conversation, job=job)
    async with call(url, token):
        await until_logged(stack, named)
    assert "green" not in stack.log()
    assert "smell" not in stack.log()
    async with call(*await joined(stack, conversation)) as caller:
        await greeted(caller)


async def joined(stack: RunningStack, conversation: str, **body: Any) -> tuple[str, str]:
    """The address of LiveKit and a token for a call of this conversation."""
    given = await stack.room_token(conversation, **body)
    return given["url"], given["token"]


async def greeted(caller: Caller) -> None:
    """Wait until the agent has greeted."""
    await caller.until_agent_speaks(0.0)
    await caller.until_agent_is_silent()


async def long_reply(caller: Caller) -> float:
    """Make the agent say something long, and return (monotonic) when it had been speaking for a second."""
    asked_at = time.monotonic()
    await caller.send_text(LONG_TEXT)
    begun = await caller.until_agent_speaks(asked_at)
    await caller.until_agent_speaks(begun + 1.0)
    return begun


async def until_logged(stack: RunningStack, text: str) -> None:
    """Wait until the stack's log holds a text."""
    async with asyncio.timeout(30):
        while text not in stack.log():
            await asyncio.sleep(0.05)


def texts(thread: list[dict[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """Speaker, channel and words of each message; punctuation is the recogniser's choice."""
    return [(m["role"], m["channel"], words(m["text"])) for m in thread]
