"""The words of a reply as they are heard: in step with the voice, all of them in the end, no more when it is cut."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from livekit.agents.voice.io import TextOutput
from numpy.typing import NDArray

from agent.call.speech_pace import SpeechPace
from agent.call.spoken_words import SpokenWords
from agent.models.cut_sentence import SpeakingRate

RATE = 8000
TEXT = "seven eleven. twelve hundred"


class Screen(TextOutput):
    """Shows what it gets; a line ends when it is flushed."""

    def __init__(self) -> None:
        super().__init__(label="screen", next_in_chain=None)
        self.lines = [""]

    async def capture_text(self, text: str) -> None:
        """Further words."""
        self.lines[-1] += text

    def flush(self) -> None:
        """The line is over."""
        self.lines.append("")


def speech(seconds: float) -> NDArray[np.int16]:
    """Somebody speaks."""
    wave: NDArray[np.float64] = 3000 * np.sin(np.arange(int(seconds * RATE)) * 0.3)
    return wave.astype(np.int16)


def silence(seconds: float) -> NDArray[np.int16]:
    """Nobody does."""
    return np.zeros(int(seconds * RATE), np.int16)


class Spoken:
    """Words that run, and what they show."""

    def __init__(self) -> None:
        self.screen = Screen()
        self.words = SpokenWords(self.screen)

    async def begin(self, text: str, *audio: NDArray[np.int16]) -> None:
        """A reply of which everything is there."""
        for piece in text:
            await self.words.capture_text(piece)
        self.words.flush()
        for samples in audio:
            self.words.add_audio(samples, RATE)
        self.words.audio_complete()

    async def shown(self) -> list[str]:
        """The lines, once what was passed on is there."""
        await asyncio.sleep(0.01)
        return self.screen.lines


@pytest.fixture
async def spoken() -> AsyncIterator[Spoken]:
    made = Spoken()
    task = asyncio.create_task(made.words.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_words_come_when_they_are_said(spoken: Spoken) -> None:
    """Half of the text is said in the first second of speech, whatever silence comes before and after it."""
    await spoken.begin(TEXT, silence(0.1), speech(1.0), silence(2.0), speech(1.0))
    spoken.words.played(0.1)
    assert await spoken.shown() == [""]
    for seconds in (1.1, 2.0, 3.0):
        spoken.words.played(seconds)
        assert await spoken.shown() == ["seven eleven. "]
    spoken.words.played(4.1)
    assert await spoken.shown() == [TEXT]


async def test_what_is_played_to_its_end_is_said_whole(spoken: Spoken) -> None:
    """Also what no letter stands for, and where the sound is no speech; the next reply begins a line of its own."""
    await spoken.begin("one two 😀", silence(1.0))
    assert spoken.words.finish(1.0, interrupted=False) == "one two 😀"
    await spoken.begin("three", speech(1.0))
    assert spoken.words.finish(1.0, interrupted=False) == "three"
    assert await spoken.shown() == ["one two 😀", "three", ""]


async def test_a_cut_reply_has_the_words_until_then(spoken: Spoken) -> None:
    """A reply of which nothing was heard has none, and text that still comes is not the next one's."""
    await spoken.begin(TEXT, speech(1.0), silence(2.0), speech(1.0))
    assert spoken.words.finish(2.5, interrupted=True) == "seven eleven. "
    await spoken.words.capture_text("never ")
    assert spoken.words.finish(0.0, interrupted=True) == ""
    await spoken.words.capture_text("said")
    spoken.words.flush()
    await spoken.begin("next", speech(0.5))
    assert spoken.words.finish(0.5, interrupted=False) == "next"
    assert await spoken.shown() == ["seven eleven. ", "next", ""]


async def test_text_without_a_voice_is_not_shown(spoken: Spoken) -> None:
    """Nobody could speak it: it was not said, and the reply after it is."""
    await spoken.words.capture_text("lost")
    spoken.words.no_audio()
    spoken.words.flush()
    await spoken.begin("said", speech(0.5))
    spoken.words.finish(0.5, interrupted=False)
    assert await spoken.shown() == ["said", ""]


async def test_words_come_before_all_of_the_reply_is_known(spoken: Spoken) -> None:
    """A long answer is still being written while its beginning is heard: the usual pace does until then."""
    await spoken.words.capture_text("a long beginning of an even longer answer ")
    spoken.words.add_audio(speech(1.0), RATE)
    spoken.words.played(1.0)
    (line,) = await spoken.shown()
    assert 2 <= len(line.split()) <= 6


def test_the_pace_of_a_voice_is_learned() -> None:
    """What is known of one reply counts for the next one, while that is not all there."""
    rate = SpeakingRate(18.0)
    text = "word " * 20
    slow = SpeechPace(rate)
    slow.text = text
    slow.add_audio(speech(40.0), RATE)
    slow.complete()
    following = SpeechPace(rate)
    following.text = text
    following.add_audio(speech(4.0), RATE)
    unknown = SpeechPace(SpeakingRate(18.0))
    unknown.text = text
    unknown.add_audio(speech(4.0), RATE)
    assert len(following.said(4.0)) < len(unknown.said(4.0))
