"""Recordings as people have them, and files that are none."""

from pathlib import Path

import numpy as np
import pytest

from agent.replay import sound
from agent.replay.sound import RATE, Recording, SoundError, load_sound
from tests.models.audio_files import FileKind, recorded
from tests.support.recordings import RECORDINGS

CARD = RECORDINGS["card_001"]
KINDS = (
    FileKind("wav", "wav", "pcm_s16le", 8_000),
    FileKind("wav", "wav", "pcm_s16le", 16_000, "stereo"),
    FileKind("wav", "wav", "pcm_f32le", 44_100, "stereo"),
    FileKind("wav", "wav", "pcm_s24le", 48_000),
    FileKind("flac", "flac", "flac", 44_100),
    FileKind("flac", "flac", "flac", 48_000, "stereo"),
    FileKind("mp3", "mp3", "libmp3lame", 44_100, "stereo"),
    FileKind("mp3", "mp3", "libmp3lame", 16_000),
    FileKind("ogg", "ogg", "libopus", 48_000),
    FileKind("ogg", "ogg", "libopus", 48_000, "stereo"),
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_recording_is_the_same_in_every_kind_of_file(kind: FileKind, tmp_path: Path) -> None:
    """As long, and loud at the same moments."""
    file = tmp_path / f"card.{kind.extension}"
    file.write_bytes(recorded(CARD, kind))
    samples, original = load_sound(file), load_sound(CARD.path)
    assert samples.dtype == np.int16
    assert len(samples) / RATE == pytest.approx(CARD.seconds, abs=0.1)
    count = min(len(samples), len(original)) // 480 * 480
    loud, expected = (np.abs(s[:count].astype(int)).reshape(-1, 480).mean(axis=1) for s in (samples, original))
    assert np.corrcoef(loud, expected)[0, 1] > 0.9


def test_what_cannot_be_replayed_is_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, a folder, empty, no audio, audio without samples, too long, too large."""
    empty, words, cut = (tmp_path / name for name in ("empty.wav", "words.wav", "cut.wav"))
    empty.touch()
    words.write_text("these are words\n" * 100)
    cut.write_bytes(CARD.path.read_bytes()[:44])
    cases = {
        tmp_path / "missing.wav": "No such file",
        tmp_path: "Is a directory",
        empty: "is empty",
        words: "not audio",
        cut: "no audio",
    }
    for file, message in cases.items():
        with pytest.raises(SoundError, match=message) as caught:
            load_sound(file)
        assert str(file) in str(caught.value)
        assert "\n" not in str(caught.value)
    monkeypatch.setattr(sound, "MAX_SECONDS", 1.0)
    with pytest.raises(SoundError, match="longer than 1 s"):
        load_sound(CARD.path)
    monkeypatch.setattr(sound, "MAX_BYTES", 1000)
    with pytest.raises(SoundError, match="larger than"):
        load_sound(CARD.path)


def test_a_recording_is_followed_by_silence() -> None:
    """A caller who has said everything still holds the line."""
    recording = Recording(np.ones(100, np.int16))
    assert not recording.exhausted
    assert recording.read(0, 60).tolist() == [1] * 60
    assert not recording.exhausted
    assert recording.read(60, 60).tolist() == [1] * 40 + [0] * 20
    assert recording.exhausted
    assert not recording.read(120, 60).any()
