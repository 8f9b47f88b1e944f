"""The models of a fixed delay, through the stock `openai` client."""

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from openai import AsyncOpenAI, BadRequestError

from bench.latency.stub_models import ANSWER, HEARD, LLM_S, STT_S, TTS_S, create_stub_app, speech


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    runner = web.AppRunner(create_stub_app())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        async with AsyncOpenAI(base_url=base_url, api_key="any", max_retries=0) as made:
            yield made
    finally:
        await runner.cleanup()


async def test_each_model_takes_its_time(client: AsyncOpenAI) -> None:
    """Never less than it says; how much more is the machine's."""
    begun = time.monotonic()
    heard = await client.audio.transcriptions.create(model="any", file=("a.wav", b"RIFF"))
    assert heard.text == HEARD
    assert time.monotonic() - begun >= STT_S
    begun = time.monotonic()
    words: list[str] = []
    stream = await client.chat.completions.create(
        model="any", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    async for chunk in stream:
        if not words:
            assert time.monotonic() - begun >= LLM_S
        words.append(chunk.choices[0].delta.content or "")
    assert "".join(words).strip() == ANSWER
    begun = time.monotonic()
    spoken = await client.audio.speech.create(model="any", voice="alloy", input="hi", response_format="pcm")
    assert time.monotonic() - begun >= TTS_S
    assert spoken.content == speech("hi")


async def test_only_raw_samples_are_spoken(client: AsyncOpenAI) -> None:
    """A decoder's delay would be in the figures of whoever asks for MP3."""
    with pytest.raises(BadRequestError):
        await client.audio.speech.create(model="any", voice="alloy", input="hi")
