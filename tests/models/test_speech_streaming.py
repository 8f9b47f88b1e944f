"""Speech goes out while it is being made, and is made only for those who still listen."""

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from agent.dev.models import speech
from agent.dev.models.server import MAX_SPEECHES
from agent.dev.models.spoken_text import Piece, split_for_speech
from tests.models.audio_files import decode
from tests.models.local_server import Gate, GatedVoice, local_server, until_ready

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND = "This is the first sentence that is spoken.", "And this is the last one."


def _split_and_count(text: str) -> list[Piece]:
    GatedVoice.gate.asked += 1
    return split_for_speech(text)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[AsyncOpenAI]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speech, "Hibari", GatedVoice)
        patch.setattr(speech, "split_for_speech", _split_and_count)
        async with local_server() as made:
            await until_ready(made)
            yield made


@pytest.fixture
def gate() -> Gate:
    return GatedVoice.gate


@pytest.mark.parametrize("kind", ["pcm", "wav", "mp3", "opus", "aac", "flac"])
async def test_the_first_sentence_is_sent_before_the_last_one_is_made(
    client: AsyncOpenAI, gate: Gate, kind: str
) -> None:
    """The voice is held before its second sentence until the listener has audio of the first: no deadlock."""
    gate.shut(hold_after=1)
    async with client.audio.speech.with_streaming_response.create(
        model="hibari",
        voice="alloy",
        input=f"{FIRST} {SECOND}",
        response_format=kind,  # type: ignore[arg-type]
    ) as response:
        chunks = response.iter_bytes()
        data = await anext(chunks)
        await gate.until_reached()
        assert gate.made == 1
        gate.open()
        data += b"".join([chunk async for chunk in chunks])
    assert gate.made == 2
    if kind != "pcm":
        assert len(decode(data)) > 24_000


async def test_the_first_sentence_is_sent_whole(client: AsyncOpenAI, gate: Gate) -> None:
    """Not just a header: a second of audio arrives while the next sentence is not made."""
    gate.shut(hold_after=1)
    async with client.audio.speech.with_streaming_response.create(
        model="hibari", voice="alloy", input=f"{FIRST} {SECOND}", response_format="pcm"
    ) as response:
        chunks = response.iter_bytes()
        received = 0
        while received < 2 * 24_000:
            received += len(await anext(chunks))
        assert gate.made == 1
        gate.open()
        assert [chunk async for chunk in chunks]


async def test_callers_take_turns_by_sentence(client: AsyncOpenAI, gate: Gate) -> None:
    """A short reply does not wait for the end of a long one, but for the sentence that is being made."""
    gate.shut(hold_after=1)
    long_one = asyncio.create_task(_speak(client, f"{SECOND} " * 10))
    await gate.until_reached()
    short_one = asyncio.create_task(_speak(client, SECOND))
    await gate.until_asked(2)
    gate.open()
    done, _ = await asyncio.wait([long_one, short_one], return_when=asyncio.FIRST_COMPLETED)
    assert done == {short_one}
    await long_one
    assert gate.made == 11


async def test_what_nobody_waits_for_is_not_spoken(client: AsyncOpenAI, gate: Gate) -> None:
    """Callers that leave give their places back at once, also those whose turn has not come."""
    gate.shut(hold_after=0)
    gone = [asyncio.create_task(_speak(client, SECOND)) for _ in range(MAX_SPEECHES)]
    await gate.until_asked(MAX_SPEECHES)
    for caller in gone:
        caller.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    # All places can be taken again while the first sentence of those who are gone is still being made.
    stayed = [asyncio.create_task(_speak(client, "Yes.")) for _ in range(MAX_SPEECHES)]
    await gate.until_asked(2 * MAX_SPEECHES)
    gate.open()
    await asyncio.gather(*stayed)
    assert gate.made == 1 + MAX_SPEECHES


async def test_an_answer_that_breaks_off_is_no_answer(
    client: AsyncOpenAI, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """When the voice fails in the middle, the listener gets an error and not half of it; the log has no words."""
    gate.shut(hold_after=1)
    async with client.audio.speech.with_streaming_response.create(
        model="hibari", voice="alloy", input=f"{FIRST} {SECOND}", response_format="pcm"
    ) as response:
        chunks = response.iter_bytes()
        await anext(chunks)
        await gate.until_reached()
        gate.fail(RuntimeError("cannot say heliotrope"))
        with pytest.raises(Exception, match="without sending complete message body"):
            _ = [chunk async for chunk in chunks]
    assert "request failed" in caplog.text
    assert "heliotrope" not in caplog.text


async def test_a_voice_that_fails_at_once_is_an_error_of_the_server(
    client: AsyncOpenAI, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """500 in the shape of the API, where it came from in the log, and no word of the text."""
    gate.shut(hold_after=0)
    request = asyncio.create_task(_speak(client, FIRST))
    await gate.until_reached()
    gate.fail(RuntimeError("cannot say heliotrope"))
    with pytest.raises(openai.InternalServerError, match="its log says why"):
        await request
    assert "in from_phonemes" in caplog.text
    assert "heliotrope" not in caplog.text


async def _speak(client: AsyncOpenAI, text: str) -> bytes:
    """Have a text spoken, as soon as there is a place."""
    while True:
        try:
            return (await client.audio.speech.create(model="hibari", voice="alloy", input=text)).content
        except openai.RateLimitError:
            await asyncio.sleep(0.01)
