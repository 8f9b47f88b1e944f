"""Calls that are dispatched with a profile, or that say how they want to be, on the whole stack."""

import uuid

import pytest

from tests.e2e.test_call import AMIABLE, greeted, joined, long_reply
from tests.support.caller import HEARD_RATE, call
from tests.support.ears import transcribe_samples
from tests.support.stack import RunningStack
from tests.support.thread_client import ThreadClient
from tests.support.wer import word_error_rate, words

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def conversation() -> str:
    """A conversation of its own."""
    return f"c_{uuid.uuid4().hex[:12]}"


async def test_a_dispatch_with_a_profile_is_greeted_as_the_profile_says(stack: RunningStack, conversation: str) -> None:
    """The template is filled with what the dispatch says, and the agent joins under the profile's name."""
    job = {"agent": "reception", "variables": {"company": "the harbour office"}}
    async with call(*await joined(stack, conversation, job=job)) as caller:
        await greeted(caller)
        assert [participant.name for participant in caller.room.remote_participants.values()] == ["Robin"]
        heard = await transcribe_samples(stack.models, caller.heard.samples(), HEARD_RATE)
    greeting = (await stack.until_thread(conversation, 1))[0]["text"]
    assert greeting == "Hello, this is Robin at the harbour office. How can I help you?"
    assert word_error_rate(greeting, heard) <= 0.3


async def test_an_agent_without_a_greeting_waits_for_the_person(stack: RunningStack, conversation: str) -> None:
    """It says nothing by itself, and answers."""
    async with call(*await joined(stack, conversation, job={"agent": {"greeting": ""}})) as caller:
        spoken_at = await caller.say(*AMIABLE.load())
        await caller.until_agent_speaks(spoken_at)
        await caller.until_agent_is_silent()
        assert caller.heard.first_audible(0.0) == caller.heard.first_audible(spoken_at)
    said, answer = await stack.until_thread(conversation, 2)
    assert (said["role"], answer["role"]) == ("user", "assistant")


async def test_an_agent_that_is_not_to_be_interrupted_answers_afterwards(
    stack: RunningStack, conversation: str
) -> None:
    """It says all that it has to say, and what was said meanwhile is neither lost nor out of order."""
    job = {"turn_taking": {"interruptions": False}}
    async with call(*await joined(stack, conversation, job=job)) as caller:
        await greeted(caller)
        begun = await long_reply(caller)
        await caller.say(*AMIABLE.load())
        thread = await stack.until_thread(conversation, 5)
        await caller.until_agent_is_silent()
        heard = await transcribe_samples(stack.models, caller.heard.samples(begun), HEARD_RATE)
    reply, said, answer = thread[2:5]
    assert not reply["interrupted"]
    assert reply["text"].endswith("old town.")
    assert word_error_rate(AMIABLE.transcript, said["text"]) <= 0.2
    assert answer["reply_to"] == said["id"]
    assert "old town" in " ".join(words(heard))


async def test_a_call_of_text_alone_is_written_and_silent(stack: RunningStack, conversation: str) -> None:
    """What is written in the room and in the thread is answered there, and nothing is to be heard."""
    async with (
        call(*await joined(stack, conversation, job={"modality": "text"})) as caller,
        ThreadClient.open(stack, conversation) as chat,
    ):
        await chat.until(lambda m: m["role"] == "assistant")
        await caller.send_text("My name is Ana.")
        await chat.until(lambda m: m["role"] == "assistant" and "Ana" in m["text"])
        await chat.type("What did I type first?", id="typed-1")
        await chat.until(lambda m: m["role"] == "assistant" and m["reply_to"] == "typed-1")
        assert caller.heard.last_audible() is None
        assert any("Ana" in caption.text for caption in caller.captions if caption.final)
    thread = await stack.thread(conversation)
    assert [m["role"] for m in thread] == ["assistant", "user", "assistant", "user", "assistant"]
    assert [m["channel"] for m in thread] == ["room", "room", "room", "chat", "room"]
    assert not any(m["interrupted"] for m in thread)
