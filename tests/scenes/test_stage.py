"""The stage of a scene: what the microphone hears, and when who waits for a cue begins."""

from typing import Any

import numpy as np
import pytest

from agent.replay.sound import RATE, Sound
from tests.scenes.clips import load_clip, prepare
from tests.scenes.script import Said, Scene
from tests.scenes.stage import PATIENCE_S, Stage

EXPECT = ({"event": "agent_starts"},)


def stage_of(**scene: Any) -> Stage:
    """The stage of a scene."""
    return Stage(Scene.model_validate({"title": "One of many scenes", "expect": EXPECT, **scene}))


def heard(stage: Stage, seconds: float) -> Sound:
    """All that the microphone hears, from the start."""
    frame = RATE // 20
    return np.concatenate([stage.read(at, frame) for at in range(0, round(seconds * RATE), frame)])


def level(samples: Sound) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def test_a_clip_is_heard_at_its_time_as_it_is() -> None:
    """Sample for sample, and nothing before or after it."""
    clip = load_clip("card_003")
    track = heard(stage_of(say=[{"id": "a", "clip": "card_003", "at": 1.0}]), 4.0)
    assert not track[:RATE].any()
    assert np.array_equal(track[RATE : RATE + len(clip)], clip)
    assert not track[RATE + len(clip) :].any()


def test_clips_that_overlap_are_heard_together_and_never_overflow() -> None:
    """Two people at once; too loud is clipped, and does not turn into noise."""
    loud = {"clip": "card_004", "gain_db": 20}
    track = heard(stage_of(say=[{"id": "a", "at": 0.0, **loud}, {"id": "b", "at": 0.0, **loud}]), 2.0)
    one = prepare(Said(id="a", at=0.0, clip="card_004", gain_db=20))
    both = np.clip(one.astype(np.int32) * 2, -32768, 32767)
    assert np.array_equal(track[: len(one)], both[: len(track)])


@pytest.mark.parametrize("seconds", [0.4, 1.2])
def test_a_pause_is_silence_and_moves_what_follows(seconds: float) -> None:
    """The clip is longer by as much; its moments know."""
    clip = load_clip("sense_and_sensibility_0870")
    said = {"id": "a", "clip": "sense_and_sensibility_0870", "at": 0.0}
    paused = prepare(Said.model_validate({**said, "pauses": [{"at": 2.93, "seconds": seconds}]}))
    at, gap = round(2.93 * RATE), round(seconds * RATE)
    assert len(paused) == len(clip) + gap
    assert not paused[at : at + gap].any()
    with_pause = stage_of(say=[{**said, "pauses": [{"at": 2.93, "seconds": seconds}]}])
    assert with_pause.moments["a.end"] - stage_of(say=[said]).moments["a.end"] == pytest.approx(seconds, abs=0.02)


@pytest.mark.parametrize("snr", [20, 10])
def test_noise_is_as_much_softer_than_the_speech_as_is_asked_for(snr: int) -> None:
    """Measured on what the microphone hears: noise alone, then speech where somebody speaks."""
    stage = stage_of(
        say=[{"id": "a", "clip": "sense_and_sensibility_0930", "at": 2.0}], noise={"clip": "noise", "snr_db": snr}
    )
    track = heard(stage, 6.0)
    first, last = (round(stage.moments[f"a.{edge}"] * RATE) for edge in ("start", "end"))
    speech = stage.clean_track(len(track))[first:last]
    assert 20 * np.log10(level(speech) / level(track[:RATE])) == pytest.approx(snr, abs=2.5)


def test_who_waits_for_a_cue_begins_when_it_comes() -> None:
    """So long after the agent is heard for the nth time, and not on the time before."""
    cue = {"agent_starts": 2, "seconds": 0.5}
    stage = stage_of(say=[{"id": "a", "clip": "card_003", "at": 0.0}, {"id": "b", "clip": "card_004", "cue": cue}])
    heard(stage, 3.0)
    stage.agent_starts(2.9)
    assert "b.start" not in stage.moments
    stage.read(round(3.0 * RATE), RATE)
    stage.agent_starts(4.0)
    assert 4.5 < stage.moments["b.start"] < 5.5
    assert not stage.exhausted


def test_a_cue_that_does_not_come_is_not_waited_for_for_ever() -> None:
    """The scene ends, and its expectations tell."""
    cue = {"agent_starts": 1}
    stage = stage_of(say=[{"id": "a", "clip": "card_003", "at": 0.0}, {"id": "b", "clip": "card_004", "cue": cue}])
    stage.read(round(PATIENCE_S * RATE), RATE)
    assert not stage.exhausted
    stage.read(round((PATIENCE_S + 1) * RATE), RATE)
    assert stage.exhausted


def test_messages_are_typed_once_at_their_moment() -> None:
    """Also those that wait for a cue."""
    stage = stage_of(
        type=[{"id": "a", "text": "one", "at": 1.0}, {"id": "b", "text": "two", "cue": {"agent_starts": 1}}]
    )
    typed: list[str] = []
    stage.type_text = typed.append
    heard(stage, 0.9)
    assert typed == []
    stage.read(RATE, RATE)
    stage.agent_starts(2.0)
    stage.read(2 * RATE, RATE)
    stage.read(3 * RATE, RATE)
    assert typed == ["one", "two"]


def test_a_whisper_has_lost_its_low_sounds_and_a_telephone_its_high_ones() -> None:
    """What is taken away is gone, the rest is as it was."""
    clip = load_clip("sense_and_sensibility_0930")
    whole = np.abs(np.fft.rfft(clip))
    hertz = np.fft.rfftfreq(len(clip), 1 / RATE)
    given = {"id": "a", "clip": "sense_and_sensibility_0930", "at": 0.0}
    whisper = np.abs(np.fft.rfft(prepare(Said.model_validate({**given, "high_pass_hz": 600}))))
    telephone = np.abs(np.fft.rfft(prepare(Said.model_validate({**given, "low_pass_hz": 3400}))))
    assert whisper[hertz < 290].sum() < 0.02 * whole[hertz < 290].sum()
    assert telephone[hertz > 6900].sum() < 0.1 * whole[hertz > 6900].sum()
    kept = (hertz > 700) & (hertz < 3300)
    assert whisper[kept].sum() == pytest.approx(whole[kept].sum(), rel=0.02)
    assert telephone[kept].sum() == pytest.approx(whole[kept].sum(), rel=0.02)
