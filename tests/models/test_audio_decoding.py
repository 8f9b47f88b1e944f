"""Whatever bytes come as an audio file, they are samples or a clear error."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dev.models.audio_decoding import AudioError, decode_audio
from tests.models.audio_files import FileKind, recorded
from tests.support.recordings import RECORDINGS

MAX_SECONDS = 10.0
CARD = RECORDINGS["card_001"]
FILES = [
    recorded(CARD, kind)
    for kind in (
        FileKind("wav", "wav", "pcm_s16le", 16_000),
        FileKind("flac", "flac", "flac", 48_000, "stereo"),
        FileKind("mp3", "mp3", "libmp3lame", 44_100, "stereo"),
        FileKind("ogg", "ogg", "libopus", 48_000),
        FileKind("webm", "webm", "libopus", 48_000),
        FileKind("m4a", "ipod", "aac", 44_100),
    )
]


def decoded(data: bytes) -> int:
    """How many samples come out; 0 for a refusal, which must be an `AudioError`."""
    try:
        samples = decode_audio(data, MAX_SECONDS)
    except AudioError:
        return 0
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert np.isfinite(samples).all()
    return len(samples)


@pytest.mark.parametrize("data", FILES)
def test_a_file_gives_as_many_samples_as_were_recorded(data: bytes) -> None:
    """At 16 kHz, whatever the rate of the file is."""
    assert decoded(data) == pytest.approx(CARD.seconds * 16_000, abs=0.06 * 16_000)


@given(st.sampled_from(FILES), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8), st.floats(0, 1))
@settings(deadline=None)
def test_a_damaged_file_is_decoded_or_refused(file: bytes, damage: list[tuple[float, int]], length: float) -> None:
    """Bytes that were changed or cut off bring no other error; half of the damage is in the header."""
    data = bytearray(file[: int(len(file) * length)])
    for where, value in damage:
        if data:
            size = min(len(data), 200) if value % 2 else len(data)
            data[int(where * (size - 1))] = value
    decoded(bytes(data))


@given(st.binary(max_size=2_000))
@settings(deadline=None)
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    """No file brings the server down."""
    decoded(data)


def test_a_file_is_cut_off_no_later_than_the_limit() -> None:
    """What is longer is not decoded to its end first."""
    with pytest.raises(AudioError, match="longer than 1 s"):
        decode_audio(FILES[0], 1.0)
    assert len(decode_audio(FILES[0], 1.1)) <= 1.1 * 16_000
