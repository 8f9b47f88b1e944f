"""Uploads that hold no speech to transcribe: a clear error, nothing of the content in the log, and on it goes."""

import io
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai import OpenAI

from tests.models.audio_files import FileKind, recorded, wav
from tests.models.models_process import ModelsProcess
from tests.models.plain_http import send
from tests.support.recordings import RECORDINGS
from tests.support.wer import word_error_rate

MODEL = "moonshine-tiny-en"
CARD = RECORDINGS["card_001"]
FORM = {"Content-Type": "multipart/form-data; boundary=edge"}
HUGE = 200 * 1024 * 1024
NOT_AUDIO = {
    "words": b"The heliotrope meeting is at noon.",
    "a web page": b"<!doctype html><html><body>heliotrope</body></html>",
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0heliotrope",
    "zeros": bytes(100_000),
    "half a header": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    # FFmpeg would open what these name: a playlist and a script are refused before they are read.
    "a playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n",
    "a script": b"ffconcat version 1.0\nfile '/etc/hostname'\n",
}


@pytest.mark.parametrize("data", NOT_AUDIO.values(), ids=NOT_AUDIO.keys())
def test_a_file_that_is_not_audio_is_refused(client: OpenAI, server: ModelsProcess, data: bytes) -> None:
    """The error names the file and the kinds that can be read; the log has the event, and no word of it."""
    events = server.log().count("code=invalid_audio")
    with pytest.raises(openai.BadRequestError, match="not audio") as refused:
        client.audio.transcriptions.create(model=MODEL, file=("meeting-heliotrope.wav", data))
    assert (refused.value.param, refused.value.code) == ("file", "invalid_audio")
    assert server.log().count("code=invalid_audio") == events + 1
    assert "heliotrope" not in server.log()


@pytest.mark.parametrize("data", [b"", wav(b"", 16_000)], ids=["no bytes", "a header alone"])
def test_an_empty_file_is_refused(client: OpenAI, data: bytes) -> None:
    """A recorder that was stopped at once is told so."""
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.transcriptions.create(model=MODEL, file=("empty.wav", data))
    assert (refused.value.param, refused.value.code) == ("file", "invalid_audio")


def test_a_file_of_200_mb_is_refused(client: OpenAI, tmp_path: Path) -> None:
    """413, as the stock client shows it, and the next request is served."""
    path = tmp_path / "huge.wav"
    with path.open("wb") as file:
        file.truncate(HUGE)
    with path.open("rb") as file, pytest.raises(openai.APIStatusError) as refused:
        client.audio.transcriptions.create(model=MODEL, file=file)
    assert (refused.value.status_code, refused.value.code) == (413, "request_too_large")
    assert _still_hears(client)


def test_an_upload_that_does_not_say_its_size_is_cut_off_at_the_limit(server: ModelsProcess) -> None:
    """The limit holds for chunked bodies as well, which may go on for ever."""

    def body() -> Iterator[bytes]:
        yield b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        yield from (bytes(1024 * 1024) for _ in range(40))

    answer = send(server.port, "POST", "/v1/audio/transcriptions", body(), FORM)
    assert (answer.status, answer.error()["code"]) == (413, "request_too_large")


def test_a_recording_of_more_than_ten_minutes_is_refused(client: OpenAI) -> None:
    """A small file can hold hours of silence: what counts is how long it lasts."""
    file = io.BytesIO(wav(bytes(2 * 8_000 * 601), 8_000))
    with pytest.raises(openai.BadRequestError, match="longer than 600 s"):
        client.audio.transcriptions.create(model=MODEL, file=("long.wav", file))


def test_what_is_left_of_a_damaged_file_is_transcribed(client: OpenAI) -> None:
    """A recording that was cut off, or whose titles are no UTF-8, is not lost for it."""
    whole = recorded(CARD, FileKind("flac", "flac", "flac", 16_000))
    assert client.audio.transcriptions.create(model=MODEL, file=("cut.flac", whole[:-2_000])).text
    pcm = wav(CARD.load()[0].tobytes(), 16_000)
    titled = pcm + b"LIST\x12\0\0\0INFOINAM\x06\0\0\0Caf\xe9\0\0"
    heard = client.audio.transcriptions.create(model=MODEL, file=("titled.wav", titled)).text
    assert word_error_rate(CARD.transcript, heard) == 0


def test_two_recordings_of_different_kinds_in_one_file_are_both_transcribed(client: OpenAI) -> None:
    """MP3 files can be strung together: the second has another sample rate and number of channels."""
    first = recorded(CARD, FileKind("mp3", "mp3", "libmp3lame", 44_100, "stereo"))
    second = recorded(RECORDINGS["card_003"], FileKind("mp3", "mp3", "libmp3lame", 16_000))
    heard = client.audio.transcriptions.create(model=MODEL, file=("both.mp3", first + second)).text.lower()
    assert "ten" in heard
    assert "seven" in heard


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        b'--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\nno end',
        b"--edge\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--edge--\r\n",
        b"--edge\r\nno header\r\n\r\nx\r\n--edge--\r\n",
        b"--edge\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\nx\r\n--edge--\r\n",
        b'--edge\r\nContent-Disposition: form-data; name="model"\r\n\r\n\xff\xfe\r\n--edge--\r\n',
        b"--edge\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\nx\r\n--in--\r\n--edge--\r\n",
        b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 70 + b"--edge--\r\n",
    ],
)
def test_a_form_that_cannot_be_read_is_refused(server: ModelsProcess, body: bytes) -> None:
    """Whatever is wrong with it, the answer is 400 in the shape of the API."""
    answer = send(server.port, "POST", "/v1/audio/transcriptions", body, FORM)
    assert (answer.status, answer.error()["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data", "multipart/mixed; boundary=x"]
)
def test_a_body_that_is_no_form_is_refused(server: ModelsProcess, kind: str) -> None:
    """JSON cannot hold a file here."""
    answer = send(server.port, "POST", "/v1/audio/transcriptions", b"{}", {"Content-Type": kind})
    assert (answer.status, answer.error()["code"]) == (400, "invalid_form")


def test_a_form_without_a_file_or_a_model_is_refused(client: OpenAI, server: ModelsProcess) -> None:
    """The error names what is missing."""
    part = b'--edge\r\nContent-Disposition: form-data; name="model"\r\n\r\nmoonshine-tiny-en\r\n--edge--\r\n'
    answer = send(server.port, "POST", "/v1/audio/transcriptions", part, FORM)
    assert (answer.status, answer.error()["param"], answer.error()["code"]) == (400, "file", "missing_file")
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.transcriptions.create(model=openai.omit, file=CARD.path)  # type: ignore[call-overload]
    assert refused.value.param == "model"


@pytest.mark.parametrize("model", ["whisper-1", "hibari", "", "heliotrope"])
def test_a_model_that_does_not_hear_is_not_found(client: OpenAI, server: ModelsProcess, model: str) -> None:
    """The error says which one does."""
    with pytest.raises(openai.NotFoundError, match=MODEL) as refused:
        client.audio.transcriptions.create(model=model, file=CARD.path)
    assert (refused.value.param, refused.value.code) == ("model", "model_not_found")
    assert "heliotrope" not in server.log()


def _still_hears(client: OpenAI) -> bool:
    return word_error_rate(CARD.transcript, client.audio.transcriptions.create(model=MODEL, file=CARD.path).text) == 0
