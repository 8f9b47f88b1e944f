"""Audio that nobody needs is taken away without a wake-up for each frame."""

import asyncio

import pytest
from livekit import rtc
from livekit.agents.utils import aio

from plugins.speculative_stt import Unheard


def frame() -> rtc.AudioFrame:
    return rtc.AudioFrame(bytes(1024), 16_000, 1, 512)


async def nothing_of(audio: aio.Chan[rtc.AudioFrame]) -> list[rtc.AudioFrame]:
    return [frame async for frame in Unheard(audio)]


async def test_frames_do_not_heap_up_and_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """They come as in a call, each after a while; the end of the audio is the end."""
    monkeypatch.setattr("plugins.speculative_stt.TAKEN_AWAY_EVERY_S", 0.03)
    audio = aio.Chan[rtc.AudioFrame]()
    task = asyncio.create_task(nothing_of(audio))
    most = 0
    for _ in range(40):
        audio.send_nowait(frame())
        most = max(most, audio.qsize())
        await asyncio.sleep(0.005)
    assert 1 < most < 40
    audio.close()
    assert await asyncio.wait_for(task, 10) == []
    assert audio.qsize() == 0
