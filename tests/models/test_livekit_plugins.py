"""The clients that the worker uses, livekit's plugins for OpenAI, against the local models."""

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import llm
from livekit.plugins import openai
from openai import AsyncOpenAI

from tests.models.audio_files import from_pcm, silences
from tests.models.models_process import ModelsProcess
from tests.support.recordings import RECORDINGS
from tests.support.wer import word_error_rate


async def test_the_plugin_for_hearing_transcribes_an_utterance(server: ModelsProcess) -> None:
    """Frames of a room go in, words come out."""
    recording = RECORDINGS["card_003"]
    samples, rate = recording.load()
    frame = rtc.AudioFrame(samples.tobytes(), rate, 1, len(samples))
    # Given to the plugin because it never closes one of its own.
    async with AsyncOpenAI(base_url=server.base_url, api_key="any") as client:
        stt = openai.STT(model="moonshine-tiny-en", language="en", client=client, use_realtime=False)
        event = await stt.recognize(frame)
        await stt.aclose()
    assert word_error_rate(recording.transcript, event.alternatives[0].text) == 0


async def test_the_plugin_for_speaking_plays_without_a_pause(server: ModelsProcess) -> None:
    """Text goes in, frames of 24 kHz come out, and the first of them holds a voice."""
    refusals = server.log().count("request refused")
    tts = openai.TTS(model="hibari", voice="alloy", base_url=server.base_url, api_key="any", response_format="pcm")
    tts.prewarm()
    async with tts.synthesize("Hello there.") as stream:
        frames = [audio.frame async for audio in stream]
    await tts.aclose()
    assert {frame.sample_rate for frame in frames} == {24_000}
    samples = np.concatenate([from_pcm(bytes(frame.data)) for frame in frames])
    assert silences(samples, 24_000).before <= 0.08
    assert server.log().count("request refused") == refusals


@pytest.mark.parametrize("words", ["I like tea.", "Roll a dice with 20 sides."])
async def test_the_plugin_for_thinking_streams_words_and_tool_calls(server: ModelsProcess, words: str) -> None:
    """Both kinds of answers arrive as the session takes them."""

    @llm.function_tool
    async def roll_dice(sides: int) -> int:
        """Roll a dice."""
        return sides

    model = openai.LLM(model="responder", base_url=server.base_url, api_key="any")
    context = llm.ChatContext.empty()
    context.add_message(role="user", content=words)
    text, calls = "", []
    async with model.chat(chat_ctx=context, tools=[roll_dice]) as stream:
        async for chunk in stream:
            if chunk.delta is not None:
                text += chunk.delta.content or ""
                calls += [(call.name, call.arguments) for call in chunk.delta.tool_calls]
    await model.aclose()
    assert (text, calls) == (
        ("You said: I like tea.", []) if "tea" in words else ("", [("roll_dice", '{"sides": 20}')])
    )
