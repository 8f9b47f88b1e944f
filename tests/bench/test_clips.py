"""What is played: speech, its own fading out, and pauses that are put in."""

import numpy as np
import pytest

from bench.clips import LEAD_S, PAUSE_S, RATE, TAIL_S, Clip, clips_with_pauses, load, plain_clips, room_tone, speech
from tests.support.recordings import RECORDINGS

CLIPS = {clip.name: clip for clip in plain_clips()}


def loudness(clip: Clip, start: float, end: float) -> float:
    part = clip.samples[int(start * RATE) : int(end * RATE)].astype(float)
    return float(np.sqrt((part**2).mean()))


def test_a_clip_is_the_recording_from_shortly_before_the_speech() -> None:
    """Nothing of the speech is lost or changed, and its end is where the label says."""
    recording = RECORDINGS["sense_and_sensibility_0930"]
    clip, whole, span = CLIPS[recording.name], load(recording), speech(recording)
    begin = int((span.start - LEAD_S) * RATE)
    same = len(whole) - begin
    assert np.array_equal(clip.samples[:same], whole[begin:])
    assert clip.ends_at == pytest.approx(span.end - begin / RATE, abs=0.001)


@pytest.mark.parametrize("clip", CLIPS.values(), ids=CLIPS.keys())
def test_silence_follows_the_speech_as_a_microphone_would_send_it(clip: Clip) -> None:
    """Three seconds come after the last audible sample, quieter than the speech, and not digital silence."""
    assert len(clip.samples) / RATE >= clip.ends_at + TAIL_S - 0.01
    after = clip.samples[int((clip.ends_at + 1.5) * RATE) :]
    assert np.abs(after).max() > 0
    assert loudness(clip, clip.ends_at + 1.5, clip.ends_at + 2.5) < 0.5 * loudness(clip, LEAD_S, clip.ends_at)


def test_only_finished_sentences_are_told() -> None:
    """An answer to half a sentence would be a fault, so none is waited for."""
    assert len(CLIPS) >= 80
    assert all(clip.recording.finished for clip in CLIPS.values())


def test_pauses_are_put_in_between_words() -> None:
    """Each lasts as long as it says and is quiet; the speech around it is all there."""
    for clip in clips_with_pauses(seed=3):
        plain = CLIPS[clip.name]
        assert clip.pauses
        added = sum(pause.seconds for pause in clip.pauses)
        assert clip.ends_at == pytest.approx(plain.ends_at + added, abs=0.01)
        for pause in clip.pauses:
            assert PAUSE_S[0] <= pause.seconds <= PAUSE_S[1]
            assert loudness(clip, pause.start, pause.end) < 0.5 * loudness(clip, LEAD_S, clip.ends_at)


def test_the_seed_chooses_the_pauses() -> None:
    """The same seed puts the same pauses in; another one puts in others."""
    first, again, other = (clips_with_pauses(seed) for seed in (1, 1, 2))
    assert [clip.pauses for clip in first] == [clip.pauses for clip in again]
    assert [clip.pauses for clip in first] != [clip.pauses for clip in other]


def test_room_tone_has_any_length() -> None:
    """It is the quietest part of the recording, however long it must be."""
    samples = load(RECORDINGS["operator_nobody"])
    for seconds in (0.0, 0.03, 4.0):
        assert len(room_tone(samples, seconds)) == int(seconds * RATE)
    assert np.abs(room_tone(samples, 4.0)).max() < 0.05 * np.abs(samples).max()
