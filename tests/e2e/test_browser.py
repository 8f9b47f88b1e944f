"""The whole path as its user takes it: a real browser whose microphone is a recording, a real LiveKit, real models."""

import wave
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.chat_page import Shown
from tests.e2e.conftest import OpenPage
from tests.support.ears import transcribe
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack
from tests.support.wer import word_error_rate

pytestmark = pytest.mark.asyncio(loop_scope="session")

SENTENCE = RECORDINGS["sense_and_sensibility_0920"]
PAUSE_BEFORE_S = 6.0  # of silence, so that the agent's greeting is not talked over


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    """The recording after a silence, as a file that Chromium takes for a microphone."""
    samples, rate = SENTENCE.load()
    path = tmp_path / "microphone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.concatenate([np.zeros(int(PAUSE_BEFORE_S * rate), np.int16), samples]).tobytes())
    return path


async def test_talk_type_hang_up_and_call_again(stack: RunningStack, open_page: OpenPage, microphone: Path) -> None:
    """Everything said and typed stands in one thread, once, and is known to the next call."""
    page = await open_page(microphone)
    conversation, visitor = await page.conversation_id(), await page.visitor()

    await page.start_call()
    await page.start_recording()
    said = await page.until_message("user", "amiable")
    answer = await page.until_message("assistant", "amiable")
    assert said.channel == answer.channel == "voice"
    await page.until_agent_listens()

    await page.type("The code is forty two.")
    await page.until_message("assistant", "you typed: the code is forty two")
    await page.until_agent_listens()
    heard = await transcribe(stack.models, await page.recorded(), "heard.webm")
    assert "amiable woman" in heard.lower(), "the spoken reply could not be heard in the browser"
    assert "you typed" in heard.lower(), "the reply to the typed message could not be heard in the browser"

    await page.hang_up()
    before = len(await page.messages())
    await page.type("What did I type first?")
    by_text = await page.until_message("assistant", "the code is forty two", after=before)
    assert by_text.channel == "chat"

    before = len(await page.messages())
    await page.start_call()
    await page.type("What did I say first?")
    recalled = await page.until_message("assistant", "amiable", after=before)
    assert recalled.channel == "voice"
    await page.hang_up()

    thread = await stack.thread(conversation, visitor)
    assert [m["seq"] for m in thread] == list(range(1, len(thread) + 1))
    assert len({m["id"] for m in thread}) == len(thread)
    spoken = [m["text"] for m in thread if m["role"] == "user" and m["channel"] == "voice"]
    assert word_error_rate(SENTENCE.transcript, spoken[0]) <= 0.2
    typed = [m["text"] for m in thread if m["role"] == "user" and m["channel"] == "chat"]
    assert typed == ["The code is forty two.", "What did I type first?", "What did I say first?"]
    assert_page_shows(await page.messages(), thread)
    assert page.problems == []


async def test_a_reload_comes_back_to_the_same_call(stack: RunningStack, open_page: OpenPage, microphone: Path) -> None:
    """The thread is there again, the agent goes on, and what was said before stands once."""
    page = await open_page(microphone)
    conversation, visitor = await page.conversation_id(), await page.visitor()
    await page.start_call()
    await page.until_message("user", "amiable")
    await page.until_message("assistant", "amiable")
    calls_before = stack.log().count("call started")

    await page.page.reload()
    await page.until_state("chat-state", "connected")
    await page.until_agent_is_heard()
    before = len(await page.messages())
    await page.type("What did I say first?")
    recalled = await page.until_message("assistant", "amiable", after=before)
    assert recalled.channel == "voice"
    assert stack.log().count("call started") == calls_before, "the reload began another call"
    assert await page.conversation_id() == conversation
    await page.hang_up()

    thread = await stack.thread(conversation, visitor)
    assert len({m["id"] for m in thread}) == len(thread)
    assert_page_shows(await page.messages(), thread)


def assert_page_shows(shown: list[Shown], thread: list[dict[str, object]]) -> None:
    """The page has the thread's messages, each once, in its order, with its channel."""
    assert [(m.id, m.role, m.channel) for m in shown] == [(m["id"], m["role"], m["channel"]) for m in thread]


async def test_a_refused_microphone_is_said_in_words(open_page: OpenPage) -> None:
    """The person learns what to do, and can still type."""
    page = await open_page(None)
    await page.page.get_by_role("button", name="Start call").click()
    await page.until_notice("microphone")
    await page.type("Who are you?")
    await page.until_message("assistant", "responder")
