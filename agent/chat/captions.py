"""Live captions and thinking, gathered so that at most one frame leaves every 100 ms (the guide's batching)."""

import asyncio
from collections.abc import Awaitable, Callable

from agent.chat.frames import encode_batch
from agent.turns import Speaker

INTERVAL_S = 0.1


class Captions:
    """The latest caption of each speaker; one that is overtaken before it leaves is never sent.

    Args:
        encode: the frame of a caption, or None where the dialect has none.
        send: sends one frame, or drops it when there is no connection: a caption is worth nothing later.
    """

    def __init__(self, encode: Callable[[Speaker, str], str | None], send: Callable[[str], Awaitable[None]]) -> None:
        self._encode = encode
        self._send = send
        self._latest: dict[Speaker, str] = {}
        self._changed = asyncio.Event()

    def show(self, speaker: Speaker, text: str) -> None:
        """What this speaker has said so far; the empty text ends the caption."""
        self._latest[speaker] = text
        self._changed.set()

    def drop(self, speaker: Speaker) -> None:
        """The speaker's turn is final: a caption that has not left yet would only come after it."""
        self._latest.pop(speaker, None)

    async def run(self) -> None:
        """Send what changed, at most every 100 ms; the owner cancels it."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            frames = [self._encode(speaker, text) for speaker, text in self._latest.items()]
            self._latest.clear()
            if known := [frame for frame in frames if frame is not None]:
                await self._send(encode_batch(known))
            await asyncio.sleep(INTERVAL_S)
