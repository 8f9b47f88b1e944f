"""One pass of voice activity detection, which tells all that livekit-agents' own tells."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import inference, vad
from numpy.typing import NDArray

from plugins.shared_vad import SharedVAD
from plugins.speech_finder import SpeechRules
from tests.support.recordings import RECORDINGS

RATE = 16_000
RULES = SpeechRules(min_silence=0.2)
Samples = NDArray[np.int16]
whose = ContextVar("whose", default="")


@dataclass(frozen=True)
class Told:
    """An event without the seconds that the model took, and its audio."""

    event: dict[str, Any]
    audio: list[tuple[int, int, bytes]]


def told(event: vad.VADEvent) -> Told:
    kept = asdict(
        event, dict_factory=lambda items: {k: v for k, v in items if k not in ("frames", "inference_duration")}
    )
    return Told(kept, [(each.sample_rate, each.num_channels, bytes(each.data)) for each in event.frames])


def sample(seed: int, seconds: float) -> Samples:
    """The noise of a room."""
    return np.random.default_rng(seed).normal(0, 20, int(seconds * RATE)).astype(np.int16)


def speech(*names: str) -> Samples:
    """Recordings with pauses between them."""
    parts = [sample(0, 1.0)]
    for seed, name in enumerate(names, 1):
        samples, rate = RECORDINGS[name].load()
        parts += [samples[:: rate // RATE], sample(seed, 0.15 * seed)]
    return np.concatenate([*parts, sample(99, 1.0)])


def cut(samples: Samples, *lengths: int, rate: int = RATE) -> Iterator[rtc.AudioFrame]:
    """Frames of these lengths in turn, to the end."""
    at = number = 0
    while at < len(samples):
        part = samples[at : at + lengths[number % len(lengths)]]
        yield rtc.AudioFrame(part.tobytes(), rate, 1, len(part))
        at, number = at + len(part), number + 1


async def events_of(stream: vad.VADStream, frames: list[rtc.AudioFrame | None]) -> list[Told]:
    """All that a stream tells of frames; None flushes it."""
    for frame in frames:
        if frame is None:
            stream.flush()
        else:
            stream.push_frame(frame)
    stream.end_input()
    events = [told(event) async for event in stream]
    await stream.aclose()
    return events


def stock(rules: SpeechRules = RULES) -> inference.VAD:
    """The library's own."""
    return inference.VAD(min_silence_duration=rules.min_silence, max_buffered_speech=rules.longest)


@contextlib.asynccontextmanager
async def listening(shared: SharedVAD, take: Callable[[vad.VADEvent], None]) -> AsyncIterator[None]:
    """Somebody listens in a task of their own."""
    whose.set("listener's")
    task = asyncio.create_task(shared.tell(take))
    whose.set("owner's")
    await asyncio.sleep(0)
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def ours(shared: SharedVAD, frames: list[rtc.AudioFrame | None]) -> list[Told]:
    """All that a listener is told of frames; the owner, what can change anything for it, and in the same order."""
    heard: list[vad.VADEvent] = []
    async with listening(shared, heard.append):
        given = await events_of(shared.stream(), frames)
    assert_same(given, [told(event) for event in heard if matters(event)])
    return [told(event) for event in heard]


def matters(event: vad.VADEvent) -> bool:
    """What livekit-agents does nothing with are windows of silence while nobody speaks."""
    return event.type is not vad.VADEventType.INFERENCE_DONE or event.speaking or event.raw_accumulated_speech > 0


def kinds(events: list[Told]) -> list[vad.VADEventType]:
    found = [event.event["type"] for event in events]
    return [kind for kind in found if kind is not vad.VADEventType.INFERENCE_DONE]


def assert_same(ours: list[Told], theirs: list[Told]) -> None:
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.event == pytest.approx(other.event, abs=1e-6)
        assert mine.audio == other.audio


@pytest.mark.parametrize("lengths", [(512,), (160,), (800,), (1600,), (512, 160, 37, 700)])
@pytest.mark.parametrize(
    "names",
    [
        ("card_001", "aligner_um", "volunteer_six"),
        ("aligner_long_pause", "operator_no", "meeting_moving"),
        ("gregson", "aligner_whisper"),
        ("noise", "front_center"),
    ],
)
async def test_the_events_are_those_of_the_library(names: tuple[str, ...], lengths: tuple[int, ...]) -> None:
    """Types, times, durations, probabilities and audio, whatever the length of the frames."""
    frames: list[rtc.AudioFrame | None] = [*cut(speech(*names), *lengths)]
    theirs = await events_of(stock().stream(), frames)
    assert vad.VADEventType.END_OF_SPEECH in kinds(theirs)
    assert_same(await ours(SharedVAD(RULES), frames), theirs)


async def test_a_flush_begins_anew_as_in_the_library() -> None:
    """In the middle of speech, of a window, and before any audio."""
    samples = speech("card_001")
    frames: list[rtc.AudioFrame | None] = [None, *cut(samples[:30_000], 160), None, *cut(samples[30_000:], 512)]
    theirs = await events_of(stock().stream(), frames)
    assert_same(await ours(SharedVAD(RULES), frames), theirs)


async def test_very_long_speech_is_cut_as_in_the_library() -> None:
    """Its events bring the first seconds, and the next speech is whole again."""
    rules = SpeechRules(min_silence=0.2, longest=1.01)
    frames: list[rtc.AudioFrame | None] = [*cut(speech("card_001", "volunteer_six"), 512)]
    theirs = await events_of(stock(rules).stream(), frames)
    assert max(len(audio) for event in theirs for _, _, audio in event.audio) == int(1.51 * RATE) * 2
    assert_same(await ours(SharedVAD(rules), frames), theirs)


@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
async def test_other_rates_are_resampled_as_in_the_library(rate: int) -> None:
    """The audio of the events is as it came; the resampler adds noise, so no two probabilities are alike."""
    samples = speech("card_001", "volunteer_six")
    at = np.arange(0, len(samples), RATE / rate)
    resampled = np.interp(at, np.arange(len(samples)), samples).astype(np.int16)
    frames: list[rtc.AudioFrame | None] = [*cut(resampled, rate // 100, rate=rate)]
    mine = [e for e in await ours(SharedVAD(RULES), frames) if len(e.audio[0][2]) < rate // 5]
    theirs = [e for e in await events_of(stock().stream(), frames) if len(e.audio[0][2]) < rate // 5]
    assert kinds(mine) == kinds(theirs)
    assert [event.audio for event in mine] == [event.audio for event in theirs]
    probabilities = [[event.event["probability"] for event in events] for events in (mine, theirs)]
    assert probabilities[0] == pytest.approx(probabilities[1], abs=0.05)


async def test_a_listener_is_told_the_same_after_the_owner() -> None:
    """Each event when the owner has dealt with it, in the listener's own context."""
    shared = SharedVAD(RULES)
    dealt_with: list[vad.VADEvent] = []
    heard: list[vad.VADEvent] = []

    def take(event: vad.VADEvent) -> None:
        assert whose.get() == "listener's"
        heard.append(event)
        assert dealt_with == [event for event in heard if matters(event)]

    async with listening(shared, take), asyncio.timeout(10):
        stream = shared.stream()
        for frame in cut(speech("card_001"), 512):
            stream.push_frame(frame)
        stream.end_input()
        async for event in stream:
            dealt_with.append(event)
        await stream.aclose()
    assert len(heard) > len(dealt_with)
    assert vad.VADEventType.END_OF_SPEECH in [event.type for event in dealt_with]


async def test_silence_wakes_nobody() -> None:
    """A listener is told of a window where it is pushed, and a stream that was closed takes none."""
    shared = SharedVAD(RULES)
    heard: list[vad.VADEvent] = []
    async with listening(shared, heard.append):
        shared.push_frame(next(cut(sample(0, 1.0), 512)))  # before anybody listens
        stream = shared.stream()
        for frame in cut(sample(0, 1.024), 512):
            shared.push_frame(frame)
        assert len(heard) == 32
        stream.end_input()
        shared.push_frame(next(cut(sample(0, 1.0), 512)))
        assert [event async for event in stream] == []
        await stream.aclose()
    assert len(heard) == 32


async def test_a_listener_that_fails_is_told_of_it_and_nobody_else_is() -> None:
    """Its own task raises; the owner and the other go on."""
    shared = SharedVAD(RULES)
    heard: list[vad.VADEvent] = []

    def fail(_: vad.VADEvent) -> None:
        raise ValueError("broken")

    stream = shared.stream()
    async with listening(shared, heard.append), asyncio.timeout(10):
        failing = asyncio.create_task(shared.tell(fail))
        await asyncio.sleep(0)
        for frame in cut(speech("card_001"), 512):
            stream.push_frame(frame)
        stream.end_input()
        assert [event async for event in stream] == [event for event in heard if matters(event)]
        with pytest.raises(ValueError, match="broken"):
            await failing
    await stream.aclose()


async def test_a_closed_stream_takes_nothing_more() -> None:
    """As in the library; events that wait can still be had after the end of the input."""
    stream = SharedVAD(RULES).stream()
    for frame in cut(speech("card_001"), 512):
        stream.push_frame(frame)
    stream.end_input()
    assert vad.VADEventType.END_OF_SPEECH in [event.type async for event in stream]
    with pytest.raises(RuntimeError):
        stream.push_frame(frame)
    with pytest.raises(RuntimeError):
        stream.flush()
    await stream.aclose()


async def test_frames_of_another_rate_than_the_first_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """And it is said."""
    frames = [next(cut(sample(0, 1.0), 512, rate=rate)) for rate in (RATE, 48_000, RATE)]
    assert len(await ours(SharedVAD(RULES), list(frames))) == 2
    assert "another sample rate" in caplog.text
