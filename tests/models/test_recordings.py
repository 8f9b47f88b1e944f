"""The recordings of people in tests/audio, and what the local model makes of them."""

import wave

import pytest
from openai import OpenAI

from tests.support.recordings import AUDIO_DIR, RECORDINGS, SPOKEN, Recording, half_of
from tests.support.wer import word_error_rate

MODEL = "moonshine-tiny-en"
# `wer_measured` is rounded; one wrong word more would be worse than this in every recording.
MARGIN = 0.02


def test_each_file_is_described_and_each_description_has_its_file() -> None:
    """Source, licence and transcript are known for all that is in the folder."""
    assert {recording.file for recording in RECORDINGS.values()} == {file.name for file in AUDIO_DIR.glob("*.wav")}


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_a_recording_is_what_its_description_says(recording: Recording) -> None:
    """16 bit, mono, 16 or 48 kHz, with a licence that is in the folder."""
    with wave.open(str(recording.path)) as file:
        assert (file.getsampwidth(), file.getnchannels()) == (2, 1)
        assert file.getframerate() in (16_000, 48_000)
    assert recording.package
    assert recording.speaker
    licences = [word.strip("(),;") for word in recording.licence.split() if "licences/" in word]
    assert licences
    assert all((AUDIO_DIR / licence).is_file() for licence in licences)


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_a_recording_is_understood_as_well_as_when_it_was_added(client: OpenAI, recording: Recording) -> None:
    """The model has not become worse; where nothing is said, nothing is heard."""
    with recording.path.open("rb") as file:
        heard = client.audio.transcriptions.create(model=MODEL, file=file).text
    assert word_error_rate(recording.transcript, heard) <= recording.wer_measured + MARGIN, heard
    assert bool(heard) == bool(recording.transcript)


@pytest.mark.parametrize("recording", SPOKEN.values(), ids=SPOKEN.keys())
def test_the_labels_for_turn_taking_fit_the_recording(recording: Recording) -> None:
    """Speech, pauses and gaps lie inside it in order, and its half is the one that its name gives."""
    speech = recording.speech
    assert speech is not None
    assert recording.half == half_of(recording.name)
    edges = [edge for pause in recording.pauses for edge in (pause.start, pause.end)]
    assert edges == sorted(edges)
    assert all(pause.seconds > 0.19 for pause in recording.pauses)
    inside = [*edges, *recording.gaps]
    assert all(speech.start < moment < speech.end for moment in inside)
    assert 0 <= speech.start < speech.end <= recording.seconds
    assert not [gap for gap in recording.gaps for pause in recording.pauses if pause.start <= gap <= pause.end]


def test_there_is_enough_to_judge_turn_taking() -> None:
    """Each half has turns enough, finished and unfinished, with and without pauses."""
    for half in ("tuning", "judging"):
        ours = [recording for recording in SPOKEN.values() if recording.half == half]
        assert len([recording for recording in ours if recording.finished]) >= 40
        assert any(not recording.finished for recording in ours)
        assert len([recording for recording in ours if recording.pauses]) >= 8
