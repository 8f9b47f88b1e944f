"""Transcription through the stock client: the formats of answers, and the kinds of files."""

import re

import openai
import pytest
from openai import OpenAI

from tests.models.audio_files import FileKind, recorded, wav
from tests.support.recordings import RECORDINGS
from tests.support.wer import word_error_rate

MODEL = "moonshine-tiny-en"
SENTENCE = RECORDINGS["sense_and_sensibility_0930"]
# A telephone cuts off what tells f from s, and clubs from anything; whole sentences survive it.
KINDS = [
    FileKind("wav", "wav", "pcm_s16le", 8_000),
    FileKind("wav", "wav", "pcm_mulaw", 8_000),
    FileKind("wav", "wav", "pcm_s16le", 16_000, "stereo"),
    FileKind("wav", "wav", "pcm_s24le", 44_100, "stereo"),
    FileKind("wav", "wav", "pcm_f32le", 48_000),
    FileKind("flac", "flac", "flac", 16_000),
    FileKind("flac", "flac", "flac", 48_000, "stereo"),
    FileKind("mp3", "mp3", "libmp3lame", 16_000),
    FileKind("mp3", "mp3", "libmp3lame", 44_100, "stereo"),
    FileKind("ogg", "ogg", "libopus", 48_000),
    FileKind("webm", "webm", "libopus", 48_000, "stereo"),
    FileKind("m4a", "ipod", "aac", 44_100, "stereo"),
]


@pytest.mark.parametrize("kind", KINDS, ids=map(str, KINDS))
def test_a_file_of_any_common_kind_is_understood(client: OpenAI, kind: FileKind) -> None:
    """What a browser, a telephone or a recorder makes is transcribed as well as the recording itself."""
    heard = client.audio.transcriptions.create(
        model=MODEL, file=(f"words.{kind.extension}", recorded(SENTENCE, kind))
    ).text
    assert word_error_rate(SENTENCE.transcript, heard) == 0, heard


def test_the_name_of_the_file_does_not_matter(client: OpenAI) -> None:
    """The content says what it is, as some clients send no name, or a wrong one."""
    data = recorded(SENTENCE, KINDS[-2])
    assert client.audio.transcriptions.create(model=MODEL, file=("audio", data)).text
    assert client.audio.transcriptions.create(model=MODEL, file=("x.mp3", data, "text/plain")).text


def test_json_tells_the_text_and_how_long_the_recording_is(client: OpenAI) -> None:
    """The default format, with the usage that is counted in seconds."""
    answer = client.audio.transcriptions.create(model=MODEL, file=SENTENCE.path)
    assert answer.usage is not None
    assert answer.usage.type == "duration"
    assert answer.usage.seconds == pytest.approx(SENTENCE.seconds, abs=0.01)


def test_verbose_json_tells_when_each_segment_was_said(client: OpenAI) -> None:
    """Segments lie within the recording, in order, and join to the text."""
    answer = client.audio.transcriptions.create(
        model=MODEL, file=SENTENCE.path, response_format="verbose_json", timestamp_granularities=["segment"]
    )
    assert answer.language == "english"
    assert float(answer.duration) == pytest.approx(SENTENCE.seconds, abs=0.01)
    assert answer.segments
    assert " ".join(segment.text for segment in answer.segments) == answer.text
    times = [time for segment in answer.segments for time in (segment.start, segment.end)]
    assert times == sorted(times)
    assert times[-1] <= SENTENCE.seconds + 0.01
    assert word_error_rate(SENTENCE.transcript, answer.text) == 0


def test_text_srt_and_vtt_hold_the_same_words(client: OpenAI) -> None:
    """The plain formats are strings for the stock client: words alone, or with times in front."""
    text, srt, vtt = (
        client.audio.transcriptions.create(model=MODEL, file=SENTENCE.path, response_format=kind)
        for kind in ("text", "srt", "vtt")
    )
    assert word_error_rate(SENTENCE.transcript, text) == 0
    assert re.fullmatch(r"1\n00:00:00,000 --> 00:00:0\d,\d{3}\n" + re.escape(text), srt)
    assert re.fullmatch(r"WEBVTT\n\n00:00:00\.000 --> 00:00:0\d\.\d{3}\n" + re.escape(text), vtt)


def test_a_streamed_transcript_joins_to_the_whole_one(client: OpenAI) -> None:
    """Deltas come first, and the last event holds all of it."""
    with client.audio.transcriptions.create(model=MODEL, file=SENTENCE.path, stream=True) as stream:
        events = list(stream)
    assert [event.type for event in events[-2:]] == ["transcript.text.delta", "transcript.text.done"]
    deltas = "".join(event.delta for event in events if event.type == "transcript.text.delta")
    assert events[-1].type == "transcript.text.done"
    assert deltas == events[-1].text
    assert word_error_rate(SENTENCE.transcript, deltas) == 0


@pytest.mark.parametrize("language", ["en", "EN-us", "english", ""])
def test_english_may_be_asked_for(client: OpenAI, language: str) -> None:
    """Clients name the language in their own ways."""
    assert client.audio.transcriptions.create(model=MODEL, file=SENTENCE.path, language=language).text


def test_another_language_is_refused(client: OpenAI) -> None:
    """German would come out as English nonsense: the model says that it knows English only."""
    with pytest.raises(openai.BadRequestError, match="knows English only") as refused:
        client.audio.transcriptions.create(model=MODEL, file=SENTENCE.path, language="de")
    assert refused.value.param == "language"


def test_times_of_words_are_refused(client: OpenAI) -> None:
    """The model does not know them, and a client that asks for them would miss them later."""
    with pytest.raises(openai.BadRequestError, match="not each word"):
        client.audio.transcriptions.create(
            model=MODEL,
            file=SENTENCE.path,
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )


def test_an_unknown_format_is_refused_with_those_that_there_are(client: OpenAI) -> None:
    """The stock client offers formats of larger models."""
    with pytest.raises(openai.BadRequestError, match="verbose_json") as refused:
        client.audio.transcriptions.create(model=MODEL, file=SENTENCE.path, response_format="diarized_json")
    assert refused.value.param == "response_format"


def test_a_long_recording_is_transcribed_in_pieces(client: OpenAI) -> None:
    """Nothing is lost where it is cut: half a minute of speech comes back in more than one segment."""
    sentences = [r for name, r in sorted(RECORDINGS.items()) if name.startswith(("sense", "card_005"))]
    silence = b"\0\0" * 8_000
    pcm = silence.join(r.load()[0].tobytes() for r in sentences)
    answer = client.audio.transcriptions.create(
        model=MODEL, file=("long.wav", wav(pcm, 16_000)), response_format="verbose_json"
    )
    assert answer.segments is not None
    assert len(answer.segments) > 1
    assert word_error_rate(" ".join(r.transcript for r in sentences), answer.text) <= 0.1, answer.text
