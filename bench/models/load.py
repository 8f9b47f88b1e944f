"""Requests to the local models as calls make them: recordings to be understood, sentences to be spoken."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp

from tests.support.recordings import SPOKEN, Recording

REQUEST_TIMEOUT_S = 60.0
# A p95 of fewer is chance.
FEWEST = 40
# What an agent says in a turn; the second sentence is made while the first one is heard.
REPLIES = (
    "Your table is booked for half past seven. Is there anything else that I can do for you?",
    "I am sorry to hear that. Could you tell me the number on the back of your card, please?",
    "The next train to the harbour leaves at ten past nine. It takes about forty minutes.",
)


@dataclass
class Waits:
    """Milliseconds that requests of one kind took, and how many were refused."""

    ms: list[float] = field(default_factory=list)
    refused: int = 0


@dataclass
class Measured:
    """What was seen with so many at once.

    Attributes:
        at_once: how many.
        hearing: from the request to the words.
        speaking: from the request to the first sound.
    """

    at_once: int
    hearing: Waits = field(default_factory=Waits)
    speaking: Waits = field(default_factory=Waits)


class Client:
    """Makes the requests of any number of calls.

    Args:
        http: without a limit of connections.
        base_url: of the models' OpenAI API.
    """

    def __init__(self, http: aiohttp.ClientSession, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    async def hear(self, recording: Recording, waits: Waits) -> None:
        """Have a recording understood, to its last word."""
        form = aiohttp.FormData()
        form.add_field("model", "moonshine-tiny-en")
        form.add_field("file", recording.path.read_bytes(), filename="speech.wav", content_type="audio/wav")
        await self._timed("audio/transcriptions", waits, data=form)

    async def speak(self, text: str, waits: Waits) -> None:
        """Have a text spoken; the time is that of its first sound, all of it is fetched."""
        wanted = {"model": "hibari", "voice": "alloy", "input": text, "response_format": "pcm"}
        await self._timed("audio/speech", waits, json=wanted)

    async def _timed(self, path: str, waits: Waits, **body: Any) -> None:
        begun = time.monotonic()
        async with self._http.post(f"{self._base_url}/{path}", **body) as response:
            if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                waits.refused += 1
                return
            response.raise_for_status()
            await response.content.readany()
            waits.ms.append((time.monotonic() - begun) * 1000)
            await response.read()


async def together(client: Client, at_once: int, rounds: int, dice: random.Random) -> Measured:
    """So many requests at the same moment, of one kind and then of the other, again and again.

    Args:
        client: makes them.
        at_once: how many.
        rounds: how often; oftener where that would be fewer than 40 in all.
        dice: chooses what is said.
    """
    measured = Measured(at_once)
    for _ in range(max(rounds, FEWEST // at_once)):
        recordings = dice.choices(_recordings(), k=at_once)
        await asyncio.gather(*(client.hear(recording, measured.hearing) for recording in recordings))
        replies = dice.choices(REPLIES, k=at_once)
        await asyncio.gather(*(client.speak(reply, measured.speaking) for reply in replies))
    return measured


async def calls(client: Client, count: int, seconds: float, turn_s: float, dice: random.Random) -> Measured:
    """So many calls for a while: in each somebody speaks every `turn_s` seconds, and is answered."""
    measured = Measured(count)

    async def call(phase: float, recordings: Sequence[Recording], replies: Sequence[str]) -> None:
        begun = asyncio.get_running_loop().time() + phase
        for turn, (recording, reply) in enumerate(zip(recordings, replies, strict=True)):
            await asyncio.sleep(max(0.0, begun + turn * turn_s - asyncio.get_running_loop().time()))
            await client.hear(recording, measured.hearing)
            await client.speak(reply, measured.speaking)

    turns = max(1, round(seconds / turn_s))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(count):
            said, replies = dice.choices(_recordings(), k=turns), dice.choices(REPLIES, k=turns)
            tasks.create_task(call(dice.random() * turn_s, said, replies))
    return measured


def _recordings() -> list[Recording]:
    return [recording for _, recording in sorted(SPOKEN.items()) if recording.finished]
