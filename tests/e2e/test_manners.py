"""The manners of an agent, in real rooms: silence, limits, the last words, keys of a telephone, and text alone."""

import asyncio
import time
import uuid

import numpy as np
import pytest

from agent.journal import SqliteJournal
from agent.phrases import Phrase, say
from agent.usage.entries import KIND as USAGE
from tests.e2e.test_call import joined
from tests.support.caller import AUDIBLE, HEARD_RATE, Caller, call
from tests.support.ears import transcribe_samples
from tests.support.stack import RunningStack
from tests.support.thread_client import ThreadClient
from tests.support.wer import word_error_rate

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPOKEN_TO = "My name is Ana."
REPLY = "Nice to meet you, Ana. You typed: My name is Ana."


@pytest.fixture
def conversation() -> str:
    """A conversation of its own."""
    return f"c_{uuid.uuid4().hex[:12]}"


async def test_silence_ends_with_a_goodbye_that_is_heard(stack: RunningStack, conversation: str) -> None:
    """The agent asks, says goodbye, and hangs up when the last word has arrived; thread and journal say why."""
    job = {"silence": {"prompt_after_s": 3, "prompts": 1}, "agent": {"greeting": ""}}
    async with call(*await joined(stack, conversation, job=job)) as caller:
        await caller.until_hung_up()
        heard = await transcribe_samples(stack.models, caller.heard.samples(), HEARD_RATE)
    thread = await stack.until_thread(conversation, 2)
    asked, goodbye = say(Phrase.STILL_THERE, "en"), say(Phrase.NOBODY_THERE, "en")
    assert [(m["role"], m["text"], m["interrupted"]) for m in thread] == [
        ("assistant", asked, False),
        ("assistant", goodbye, False),
    ]
    assert word_error_rate(f"{asked} {goodbye}", heard) <= 0.25, heard
    assert heard.lower().rstrip(".!").endswith(("goodbye", "good bye"))
    assert await reason_of(stack, conversation) == "silence"


async def test_a_limit_is_kept_after_the_last_question_is_answered(stack: RunningStack, conversation: str) -> None:
    """Two turns: the end is announced before the second, which is answered, aloud and in the thread."""
    job = {"limits": {"max_turns": 2}, "agent": {"greeting": ""}}
    async with call(*await joined(stack, conversation, job=job)) as caller:
        await caller.until_agent_is_there()
        await caller.send_text(SPOKEN_TO)
        await stack.until_thread(conversation, 3)
        asked_at = time.monotonic()
        await caller.send_text("What is my name?")
        await caller.until_hung_up()
        heard = await transcribe_samples(stack.models, caller.heard.samples(asked_at), HEARD_RATE)
    thread = await stack.until_thread(conversation, 6)
    assert [m["text"] for m in thread[1:3]] == [REPLY, say(Phrase.ENDING_SOON, "en")]
    assert "Ana" in thread[4]["text"]
    assert thread[5]["text"] == say(Phrase.OUT_OF_TIME, "en")
    assert not any(m["interrupted"] for m in thread)
    assert word_error_rate(f"{thread[4]['text']} {thread[5]['text']}", heard) <= 0.4, heard
    assert await reason_of(stack, conversation) == "maximum turns"


async def test_the_model_says_goodbye_and_hangs_up(stack: RunningStack, conversation: str) -> None:
    """Its goodbye is heard and stands in the thread before the call ends."""
    async with call(*await joined(stack, conversation, job={"agent": {"greeting": ""}})) as caller:
        await caller.until_agent_is_there()
        await caller.send_text("Please end the call now.")
        await caller.until_hung_up()
        heard = await transcribe_samples(stack.models, caller.heard.samples(), HEARD_RATE)
    thread = await stack.until_thread(conversation, 2)
    assert [m["text"] for m in thread] == ["Please end the call now.", say(Phrase.GOODBYE, "en")]
    assert "bye" in heard.lower()
    assert (await reason_of(stack, conversation)).startswith("agent: ")


async def test_keys_of_a_telephone_are_turns_in_order(stack: RunningStack, conversation: str) -> None:
    """`#` and a pause end a number; what is typed after one comes after it."""
    async with call(*await joined(stack, conversation, job={"agent": {"greeting": ""}})) as caller:
        await caller.until_agent_is_there()
        await press(caller, "12#")
        await until_typed(stack, conversation, 1)
        await press(caller, "77")
        await until_typed(stack, conversation, 2)
        await press(caller, "4")
        await caller.send_text(SPOKEN_TO)
        typed = await until_typed(stack, conversation, 4)
    assert typed == [("12#", "room"), ("77", "room"), ("4", "room"), (SPOKEN_TO, "room")]


async def test_a_limit_is_kept_when_the_chat_backend_answers(stack: RunningStack, conversation: str) -> None:
    """What it answers is heard first, and the goodbye stands in its thread."""
    job = {"brain": "chat", "limits": {"max_turns": 1}, "agent": {"greeting": ""}}
    async with call(*await joined(stack, conversation, job=job)) as caller:
        await caller.until_agent_is_there()
        await caller.send_text(SPOKEN_TO)
        await caller.until_hung_up()
        heard = await transcribe_samples(stack.models, caller.heard.samples(), HEARD_RATE)
    thread = await stack.until_thread(conversation, 3)
    assert [m["text"] for m in thread[::2]] == [SPOKEN_TO, say(Phrase.OUT_OF_TIME, "en")]
    assert word_error_rate(f"{thread[1]['text']} {thread[2]['text']}", heard) <= 0.4, heard


async def test_a_reply_is_said_again_and_slower(stack: RunningStack, conversation: str) -> None:
    """The same words, and a fifth slower from then on."""
    async with call(*await joined(stack, conversation, job={"agent": {"greeting": ""}})) as caller:
        await caller.until_agent_is_there()
        await spoken(caller, SPOKEN_TO)
        usual = await spoken(caller, "Could you say that again?")
        await spoken(caller, "Slower, please.")
        slow = await spoken(caller, "Please repeat that.")
    thread = await stack.until_thread(conversation, 8)
    replies = [m["text"] for m in thread if m["role"] == "assistant"]
    assert replies == [REPLY, REPLY, say(Phrase.SLOWER, "en"), REPLY]
    assert 1.1 <= slow / usual <= 1.4


async def test_text_alone_is_as_polite(stack: RunningStack, conversation: str) -> None:
    """No track is published, no model hears or speaks; room and chat are answered, silence ends with a goodbye."""
    job = {"modality": "text", "silence": {"prompt_after_s": 3, "prompts": 1}}
    async with (
        call(*await joined(stack, conversation, job=job)) as caller,
        ThreadClient.open(stack, conversation) as chat,
    ):
        await chat.until(lambda m: m["role"] == "assistant")
        await caller.send_text(SPOKEN_TO)
        await chat.until(lambda m: m["text"] == REPLY)
        await chat.type("What is my name?", id="typed-1")
        await chat.until(lambda m: m["reply_to"] == "typed-1")
        tracks = [p.track_publications for p in caller.room.remote_participants.values()]
        await caller.until_hung_up()
        assert not any(tracks)
        assert not caller.heard.frames
        assert say(Phrase.NOBODY_THERE, "en") in [caption.text for caption in caller.captions if caption.final]
    thread = await stack.until_thread(conversation, 7)
    assert [m["role"] for m in thread] == ["assistant", "user"] * 2 + ["assistant"] * 3
    assert [m["text"] for m in thread[5:]] == [say(Phrase.STILL_THERE, "en"), say(Phrase.NOBODY_THERE, "en")]
    assert not any(m["interrupted"] or m["channel"] == "voice" for m in thread)
    with SqliteJournal(stack.data_dir / "journal.db") as journal:
        used = {event.details["stage"] for event in await journal.events_of_conversation(conversation, USAGE)}
    assert used == {"llm"}


async def press(caller: Caller, keys: str) -> None:
    """Press keys one after the other, as a person does."""
    for key in keys:
        await caller.room.local_participant.publish_dtmf(code=int(key) if key.isdigit() else 11, digit=key)
        await asyncio.sleep(0.1)


async def until_typed(stack: RunningStack, conversation: str, count: int) -> list[tuple[str, str]]:
    """Wait until so many turns of the user stand in the thread; returns their words and channels."""
    async with asyncio.timeout(30):
        while True:
            turns = [m for m in await stack.thread(conversation) if m["role"] == "user"]
            if len(turns) >= count:
                return [(m["text"], m["channel"]) for m in turns]
            await asyncio.sleep(0.1)


async def spoken(caller: Caller, text: str) -> float:
    """Type, and wait until the reply was heard; returns how long it lasted (seconds)."""
    typed_at = time.monotonic()
    await caller.send_text(text)
    await caller.until_agent_speaks(typed_at)
    await caller.until_agent_is_silent()
    audible = np.flatnonzero(np.abs(caller.heard.samples(typed_at)) > AUDIBLE)
    return float(audible[-1] - audible[0]) / HEARD_RATE


async def reason_of(stack: RunningStack, conversation: str) -> str:
    """Why the call ended, as the journal says; the log says the same."""
    with SqliteJournal(stack.data_dir / "journal.db") as journal:
        async with asyncio.timeout(30):
            while True:
                calls = [call for call in await journal.calls(50) if call.conversation_id == conversation]
                if calls and (reason := calls[0].reason) is not None:
                    assert reason in stack.log()
                    return reason
                await asyncio.sleep(0.1)
