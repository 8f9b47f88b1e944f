"""Captions leave in batches and are overtaken by newer ones, never queued."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from agent.call.caption_output import CaptionOutput
from agent.chat.captions import Captions
from agent.chat.frames import encode_caption
from agent.turns import Speaker


class Wire:
    """Keeps the frames that were sent; `next` waits for one."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[str] = asyncio.Queue()

    async def send(self, frame: str) -> None:
        self.frames.put_nowait(frame)


async def with_captions(use: Callable[[Captions, Wire], Awaitable[None]]) -> None:
    wire = Wire()
    captions = Captions(encode_caption, wire.send)
    task = asyncio.create_task(captions.run())
    try:
        await asyncio.wait_for(use(captions, wire), 10)
    finally:
        task.cancel()


async def test_only_the_latest_caption_of_a_speaker_leaves() -> None:
    """A hundred changes within one interval are one frame."""

    async def use(captions: Captions, wire: Wire) -> None:
        for number in range(100):
            captions.show(Speaker.USER, f"word {number}")
        frame = json.loads(await wire.frames.get())
        assert frame["data"] == {"action": "partial", "role": "user", "text": "word 99"}
        assert wire.frames.empty()

    await with_captions(use)


async def test_two_speakers_share_a_batch() -> None:
    """What changed for both leaves as one frame of the guide's batch."""

    async def use(captions: Captions, wire: Wire) -> None:
        captions.show(Speaker.USER, "a")
        captions.show(Speaker.ASSISTANT, "b")
        frame = json.loads(await wire.frames.get())
        assert [part["data"]["text"] for part in frame["batch"]] == ["a", "b"]

    await with_captions(use)


async def test_a_caption_never_follows_the_turn_that_ended_it() -> None:
    """When the turn is final, what has not left is dropped."""

    async def use(captions: Captions, wire: Wire) -> None:
        captions.show(Speaker.USER, "half a sen")
        captions.drop(Speaker.USER)
        captions.show(Speaker.ASSISTANT, "reply")
        assert json.loads(await wire.frames.get())["data"]["role"] == "assistant"

    await with_captions(use)


async def test_spoken_words_add_up_until_the_utterance_ends() -> None:
    """The caption shows all words of the current utterance."""
    shown: list[str] = []
    output = CaptionOutput(shown.append)
    await output.capture_text("Hello ")
    await output.capture_text("there")
    output.flush()
    await output.capture_text("Next")
    assert shown == ["Hello ", "Hello there", "Next"]
