"""The agent's voice on its way out: all of it is played once, whatever interrupts it, and what was played is known."""

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice import io

from agent.call.voice_output import CHUNK_S, Samples, VoiceOutput

RATE = 8000


class Loudspeaker:
    """A sink that plays in real time, and keeps what it has played."""

    rate = RATE

    def __init__(self) -> None:
        self._waiting: list[Samples] = []
        self._played: list[Samples] = []
        self._ends = 0.0

    async def ready(self) -> None:
        """Somebody listens."""

    async def send(self, samples: Samples) -> None:
        """Queue."""
        self._play()
        now = asyncio.get_running_loop().time()
        self._ends = max(self._ends, now) + len(samples) / RATE
        self._waiting.append(samples)

    def queued(self) -> float:
        """What has not been played."""
        return max(0.0, self._ends - asyncio.get_running_loop().time())

    def clear(self) -> int:
        """Throw away."""
        self._play()
        left = sum(map(len, self._waiting))
        self._waiting, self._ends = [], 0.0
        return left

    def heard(self) -> Samples:
        """What has been played."""
        self._play()
        return np.concatenate(self._played) if self._played else np.zeros(0, np.int16)

    def _play(self) -> None:
        waiting = np.concatenate(self._waiting) if self._waiting else np.zeros(0, np.int16)
        left = round(self.queued() * RATE)
        done = len(waiting) - min(left, len(waiting))
        self._played.append(waiting[:done])
        self._waiting = [waiting[done:]]


class Player:
    """A running output, and what it told."""

    def __init__(self) -> None:
        self.speaker = Loudspeaker()
        self.output = VoiceOutput(self.speaker)
        self.finished: list[io.PlaybackFinishedEvent] = []
        self.started = asyncio.Event()
        self.output.on("playback_finished", self.finished.append)
        self.output.on("playback_started", lambda _: self.started.set())

    async def give(self, samples: Samples) -> None:
        """Audio of a reply, in frames of 20 ms, faster than it is played."""
        for start in range(0, len(samples), RATE // 50):
            part = samples[start : start + RATE // 50]
            await self.output.capture_frame(rtc.AudioFrame(part.tobytes(), RATE, 1, len(part)))

    async def heard_at_least(self, seconds: float) -> None:
        """Wait until so much has been played."""
        while len(self.speaker.heard()) < seconds * RATE:
            await asyncio.sleep(0.005)


@pytest.fixture
async def player() -> AsyncIterator[Player]:
    playing = Player()
    task = asyncio.create_task(playing.output.run())
    yield playing
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def reply(seconds: float) -> Samples:
    """Audio in which each sample tells its place."""
    return np.arange(int(seconds * RATE), dtype=np.int16)


async def test_a_reply_is_played_once_from_beginning_to_end(player: Player) -> None:
    """And its end is told when it has been heard, not when it has been sent."""
    samples = reply(0.5)
    await player.give(samples)
    player.output.flush()
    event = await player.output.wait_for_playout()
    assert np.array_equal(player.speaker.heard(), samples)
    assert (event.playback_position, event.interrupted) == (0.5, False)
    assert player.output.cut is None


async def test_no_more_than_two_chunks_are_ahead(player: Player) -> None:
    """What has been handed over can only be taken back, not changed."""
    await player.give(reply(3.0))
    await player.started.wait()
    for _ in range(20):
        assert player.speaker.queued() <= 2 * CHUNK_S + 0.001
        await asyncio.sleep(0.01)


async def test_a_pause_is_silent_at_once_and_loses_nothing(player: Player) -> None:
    """After a cough the agent goes on where it stopped, to the sample."""
    samples = reply(0.8)
    await player.give(samples)
    player.output.flush()
    await player.heard_at_least(0.15)
    player.output.pause()
    heard = len(player.speaker.heard())
    await asyncio.sleep(0.15)
    assert len(player.speaker.heard()) == heard
    player.output.resume()
    await player.heard_at_least(0.4)
    player.output.pause()
    player.output.resume()
    event = await player.output.wait_for_playout()
    assert np.array_equal(player.speaker.heard(), samples)
    assert event.playback_position == 0.8


@pytest.mark.parametrize("then", [lambda output: None, VoiceOutput.pause], ids=["while it plays", "while it pauses"])
async def test_a_cut_reply_is_known_to_the_sample(player: Player, then: Callable[[VoiceOutput], None]) -> None:
    """What was played of it is kept, and it is what was heard."""
    samples = reply(2.0)
    await player.give(samples)
    await player.heard_at_least(0.2)
    then(player.output)
    player.output.clear_buffer()
    heard = player.speaker.heard()
    clip = player.output.cut
    assert clip is not None
    assert np.array_equal(clip.samples, samples[: len(clip.samples)])
    assert len(clip.samples) == len(heard)
    assert [(event.interrupted, event.playback_position) for event in player.finished] == [(True, clip.seconds)]
    await asyncio.sleep(0.1)
    assert len(player.speaker.heard()) == len(heard)


async def test_the_next_reply_follows_a_cut_one(player: Player) -> None:
    """Nothing of the old one is heard in it."""
    await player.give(reply(2.0))
    await player.heard_at_least(0.1)
    player.output.clear_buffer()
    before = len(player.speaker.heard())
    player.output.flush()
    again = -reply(0.2)
    await player.give(again)
    player.output.flush()
    await player.output.wait_for_playout()
    assert np.array_equal(player.speaker.heard()[before:], again)


async def test_audio_that_comes_slowly_is_played_as_it_comes(player: Player) -> None:
    """A model that is slower than speech makes a gap, and nothing is lost."""
    samples = reply(0.3)
    await player.give(samples[: RATE // 10])
    await player.heard_at_least(0.1)
    await asyncio.sleep(0.05)
    await player.give(samples[RATE // 10 :])
    player.output.flush()
    event = await player.output.wait_for_playout()
    assert np.array_equal(player.speaker.heard(), samples)
    assert not event.interrupted
