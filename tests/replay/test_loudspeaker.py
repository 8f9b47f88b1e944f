"""The caller's loudspeaker under the agent's voice: what is heard, when, and what is written down of it."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice.io import PlaybackFinishedEvent

from agent.call.voice_output import VoiceOutput
from agent.replay import virtual_time
from agent.replay.loudspeaker import Loudspeaker, Utterance
from agent.replay.sound import RATE, Sound, silence
from agent.replay.tape import Tape

pytestmark = pytest.mark.usefixtures("jumping_time")


class Heard:
    """What came out of a loudspeaker."""

    def __init__(self) -> None:
        self.track: Sound = silence(0)
        self.finished: list[PlaybackFinishedEvent] = []
        self.began: list[float | None] = []
        self.utterances: list[Utterance] = []

    def seconds(self) -> float:
        """How much was audible."""
        return float(np.count_nonzero(self.track)) / RATE


def tone(seconds: float, value: int = 5000) -> rtc.AudioFrame:
    """A frame of one value, which is audible and can be counted."""
    samples = np.full(round(seconds * RATE), value, np.int16)
    return rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples))


def played(script: Callable[[VoiceOutput], Awaitable[None]]) -> Heard:
    """Run a script on the agent's voice, wait until all is played, and return what was heard."""
    heard = Heard()

    async def main() -> None:
        tape = Tape()
        loudspeaker = Loudspeaker(tape, lambda utterance: heard.began.append(utterance.audible))
        voice = VoiceOutput(loudspeaker)
        loudspeaker.follow(voice)
        voice.on("playback_finished", heard.finished.append)
        running = asyncio.create_task(voice.run())
        await script(voice)
        await voice.wait_for_playout()
        assert not loudspeaker.busy
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        heard.track = tape.tracks()[1]
        heard.utterances = loudspeaker.utterances

    virtual_time.run(main())
    return heard


def test_a_reply_is_played_in_its_time_from_its_first_frame_on() -> None:
    """It may come faster than it is played."""

    async def script(voice: VoiceOutput) -> None:
        await asyncio.sleep(1.0)
        await voice.capture_frame(tone(0.5))
        await voice.capture_frame(tone(0.5))
        voice.flush()

    heard = played(script)
    assert len(heard.track) == 2 * RATE
    assert not heard.track[: RATE - 1].any()
    assert heard.track[RATE:].all()
    assert heard.finished == [PlaybackFinishedEvent(playback_position=1.0, interrupted=False)]
    assert heard.utterances == [Utterance(began=1.0, audible=1.0, ended=2.0, interrupted=False)]


def test_what_is_cleared_is_not_heard_any_more() -> None:
    """To the sample, although more was queued."""

    async def script(voice: VoiceOutput) -> None:
        await voice.capture_frame(tone(3.0))
        voice.flush()
        await asyncio.sleep(1.005)
        voice.clear_buffer()

    heard = played(script)
    assert heard.seconds() == pytest.approx(1.005, abs=0.001)
    assert heard.finished[0].interrupted
    assert heard.utterances[0].interrupted
    assert heard.utterances[0].ended == pytest.approx(1.005, abs=0.001)


def test_a_pause_stops_at_once_and_loses_nothing() -> None:
    """All of it is heard, with a hole where the pause was."""

    async def script(voice: VoiceOutput) -> None:
        await voice.capture_frame(tone(2.0))
        voice.flush()
        await asyncio.sleep(0.5)
        voice.pause()
        await asyncio.sleep(1.0)
        voice.resume()

    heard = played(script)
    assert heard.seconds() == pytest.approx(2.0, abs=0.001)
    assert not heard.track[int(0.501 * RATE) : int(1.499 * RATE)].any()
    assert heard.utterances[0].ended == pytest.approx(3.0, abs=0.001)


def test_replies_follow_each_other_and_each_tells_when_it_is_heard_first() -> None:
    """Silence at the beginning of a reply is not heard."""

    async def script(voice: VoiceOutput) -> None:
        await voice.capture_frame(tone(0.2, value=100))
        await voice.capture_frame(tone(0.2))
        voice.flush()
        await voice.wait_for_playout()
        await voice.capture_frame(tone(0.3))
        voice.flush()

    heard = played(script)
    assert heard.began == [pytest.approx(0.2), pytest.approx(0.4)]
    assert [utterance.began for utterance in heard.utterances] == [0.0, pytest.approx(0.4)]
    assert len(heard.finished) == 2


def test_what_was_queued_and_taken_back_was_never_audible() -> None:
    """A reply that is cut before its first sound was not heard."""

    async def script(voice: VoiceOutput) -> None:
        await voice.capture_frame(tone(0.05, value=100))
        await voice.capture_frame(tone(1.0))
        voice.flush()
        await asyncio.sleep(0.02)
        voice.clear_buffer()

    heard = played(script)
    assert heard.utterances[0].audible is None
    assert not (np.abs(heard.track) > 100).any()
