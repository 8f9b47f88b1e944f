"""`brain: chat`: the chat backend answers, and its messages are spoken; here the embedded server is the backend."""

import time
import uuid

import pytest

from tests.support.caller import HEARD_RATE, Caller, call
from tests.support.ears import transcribe_samples
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack
from tests.support.thread_client import ThreadClient
from tests.support.wer import word_error_rate

pytestmark = pytest.mark.asyncio(loop_scope="session")

AMIABLE = RECORDINGS["sense_and_sensibility_0930"]
LONG = (
    "the quick brown fox jumps over the lazy dog and then the dog sleeps in the warm sun "
    "while seven white geese walk by"
)


@pytest.fixture
def conversation() -> str:
    return f"c_{uuid.uuid4().hex[:12]}"


async def test_what_is_said_and_typed_is_answered_by_the_backend_aloud(stack: RunningStack, conversation: str) -> None:
    """Each turn stands once in the thread, the backend's answer too, and the caller hears it."""
    given = await stack.room_token(conversation, job={"brain": "chat"})
    async with ThreadClient.open(stack, conversation) as chat, call(given["url"], given["token"]) as caller:
        await greeted(caller)
        spoken_at = await caller.say(*AMIABLE.load())
        answer = await chat.until(lambda m: m["role"] == "assistant" and "amiable" in m["text"])
        await caller.until_agent_speaks(spoken_at)
        await caller.until_agent_is_silent()
        heard = await transcribe_samples(stack.models, caller.heard.samples(spoken_at), HEARD_RATE)
        assert word_error_rate(answer["text"], heard) <= 0.2

        typed_at = time.monotonic()
        await chat.type("My name is Robert.", id="typed")
        await chat.until(lambda m: m["reply_to"] == "typed")
        await caller.until_agent_speaks(typed_at)
        await caller.until_agent_is_silent()
        assert "Robert" in await transcribe_samples(stack.models, caller.heard.samples(typed_at), HEARD_RATE)

        await caller.send_text("What did I say first?")
        await chat.until(lambda m: "amiable" in m["text"] and m["seq"] > answer["seq"])
    thread = await stack.until_thread(conversation, 7)
    assert [(m["role"], m["channel"]) for m in thread] == [
        ("assistant", "voice"),
        ("user", "voice"),
        ("assistant", "chat"),
        ("user", "chat"),
        ("assistant", "chat"),
        ("user", "room"),
        ("assistant", "chat"),
    ]
    assert word_error_rate(AMIABLE.transcript, thread[1]["text"]) <= 0.2
    assert thread[2]["reply_to"] == thread[1]["id"]


async def test_barge_in_stops_the_backends_words(stack: RunningStack, conversation: str) -> None:
    """The agent is silent for the user, and what they say is the next question."""
    given = await stack.room_token(conversation, job={"brain": "chat"})
    async with ThreadClient.open(stack, conversation) as chat, call(given["url"], given["token"]) as caller:
        await greeted(caller)
        asked_at = time.monotonic()
        await chat.type(LONG, id="long")
        begun = await caller.until_agent_speaks(asked_at)
        await caller.until_agent_speaks(begun + 1.0)
        spoken_at = await caller.say(*AMIABLE.load())
        await chat.until(lambda m: m["role"] == "assistant" and "amiable" in m["text"])
        await caller.until_agent_speaks(spoken_at)
        await caller.until_agent_is_silent()
        heard = await transcribe_samples(stack.models, caller.heard.samples(begun), HEARD_RATE)
    assert "amiable" in heard.lower()
    assert "geese" not in heard.lower()


async def greeted(caller: Caller) -> None:
    """Wait until the agent has greeted."""
    await caller.until_agent_speaks(0.0)
    await caller.until_agent_is_silent()
