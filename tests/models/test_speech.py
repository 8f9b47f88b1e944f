"""Speech through the stock client: its formats, what it says, where it is silent, and what it refuses."""

import base64
import json
import re

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import OpenAI

from tests.models.audio_files import Samples, decode, from_pcm, silences, wav
from tests.models.models_process import ModelsProcess
from tests.models.plain_http import post_json
from tests.support.wer import word_error_rate

RATE = 24_000
GREETING = "Hello there. Say or type something."
TEXTS = [
    GREETING,
    "I am a rule-based demo responder, not a language model.",
    "You typed: the meeting starts at half past seven.",
    "Fifteen people walked along the river. Then they sat down under the old trees, and talked about the journey home.",
    "The weather in Paris is sunny, with a light wind from the north.",
]


def spoken(client: OpenAI, text: str, speed: float = 1.0) -> Samples:
    """What the local voice makes of a text."""
    answer = client.audio.speech.create(model="hibari", voice="alloy", input=text, response_format="pcm", speed=speed)
    return from_pcm(answer.content)


def heard(client: OpenAI, samples: Samples) -> str:
    """What the local model hears in samples."""
    data = wav((samples * 32767).astype("<i2").tobytes(), RATE)
    return client.audio.transcriptions.create(model="moonshine-tiny-en", file=("speech.wav", data)).text


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_spoken_is_heard_as_the_same_words(client: OpenAI, text: str) -> None:
    """The way there and back again, through both models, loses nothing."""
    understood = heard(client, spoken(client, text))
    assert word_error_rate(text, understood) <= 0.1, understood


@pytest.mark.parametrize("text", [*TEXTS, "Yes.", "Thank you.", "Shall we go?"])
def test_speech_begins_at_once_and_ends_soon_after_the_last_sound(client: OpenAI, text: str) -> None:
    """The model's own silence, 300 ms before and 400 ms after, would be heard as slowness in every reply."""
    measured = silences(spoken(client, text), RATE)
    assert measured.before <= 0.08
    assert measured.after <= 0.25
    assert measured.longest <= 0.6


@pytest.mark.parametrize(
    ("kind", "media_type", "magic"),
    [
        ("mp3", "audio/mpeg", b"\xff"),
        ("opus", "audio/ogg", b"OggS"),
        ("aac", "audio/aac", b"\xff"),
        ("flac", "audio/flac", b"fLaC"),
        ("wav", "audio/wav", b"RIFF"),
    ],
)
def test_each_format_decodes_to_the_same_speech(client: OpenAI, kind: str, media_type: str, magic: bytes) -> None:
    """Every format that the API knows is one that players read, and is as long as the raw samples."""
    answer = client.audio.speech.create(model="hibari", voice="alloy", input=GREETING, response_format=kind)  # type: ignore[arg-type]
    assert answer.response.headers["Content-Type"] == media_type
    assert answer.content.startswith(magic)
    samples = decode(answer.content, RATE)
    assert len(samples) == pytest.approx(len(spoken(client, GREETING)), rel=0.1)
    assert word_error_rate(GREETING, heard(client, samples)) <= 0.2


def test_mp3_is_the_format_when_none_is_named(client: OpenAI) -> None:
    """As at OpenAI."""
    answer = client.audio.speech.create(model="hibari", voice="alloy", input="Hello.")
    assert answer.response.headers["Content-Type"] == "audio/mpeg"


def test_speech_comes_as_events_when_asked_for(client: OpenAI) -> None:
    """`stream_format="sse"`: deltas in base64, then the end with its usage."""
    with client.audio.speech.with_streaming_response.create(
        model="hibari", voice="alloy", input=GREETING, response_format="pcm", stream_format="sse"
    ) as response:
        events = [json.loads(line.removeprefix("data: ")) for line in response.iter_lines() if line]
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert events[-1]["type"] == "speech.audio.done"
    assert events[-1]["usage"]["total_tokens"] == len(GREETING.split())
    samples = from_pcm(b"".join(base64.b64decode(event["audio"]) for event in events[:-1]))
    assert word_error_rate(GREETING, heard(client, samples)) <= 0.2


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.5, 2.0, 4.0])
def test_speed_changes_how_long_it_takes(client: OpenAI, speed: float) -> None:
    """Twice the speed is half the time."""
    expected = len(spoken(client, GREETING)) / speed
    assert len(spoken(client, GREETING, speed=speed)) == pytest.approx(expected, rel=0.1)


def test_fast_speech_is_heard_to_its_end(client: OpenAI) -> None:
    """The pitch stays, and figures, which take many tokens in a short time, do not end the transcript early."""
    understood = heard(client, spoken(client, "Book a table for two at 7:30 p.m. please.", speed=1.5))
    assert understood.lower().rstrip(".").endswith("p.m. please"), understood


@pytest.mark.parametrize("voice", ["heart", "Heart", "alloy", "nova", {"id": "heart"}])
def test_a_voice_is_known_by_its_own_name_and_by_those_of_openai(client: OpenAI, voice: str) -> None:
    """Clients that were written for OpenAI need no other setting."""
    assert client.audio.speech.create(model="hibari", voice=voice, input="Yes.").content


def test_an_unknown_voice_is_refused_with_those_that_there_are(client: OpenAI, server: ModelsProcess) -> None:
    """The log does not hold the name: it may be a person's."""
    with pytest.raises(openai.BadRequestError, match="heart") as refused:
        client.audio.speech.create(model="hibari", voice="heliotrope", input="Yes.")
    assert (refused.value.param, refused.value.code) == ("voice", "unknown_voice")
    assert "code=unknown_voice" in server.log()
    assert "heliotrope" not in server.log()


@pytest.mark.parametrize("model", ["tts-1", "responder", ""])
def test_a_model_that_does_not_speak_is_not_found(client: OpenAI, model: str) -> None:
    """The error says which one does."""
    with pytest.raises(openai.NotFoundError, match="hibari"):
        client.audio.speech.create(model=model, voice="alloy", input="Yes.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("One \0 two \x07 three.", "one two three"),
        ("Good 😀 morning 👩‍👩‍👧 to 🎉 you.", "good morning to you"),
        ("**Please** read the `answer` again.", "please read the answer again"),
        ("See [the page](https://example.com/a) now.", "see the page now"),
        ("Ten \u200bof\u00adclubs.", "ten of clubs"),
        ("Good morning\n\n\nthank you", "good morning thank you"),
    ],
)
def test_what_cannot_be_said_is_left_out(client: OpenAI, text: str, words: str) -> None:
    """Control characters, emoji and markup are no words, and no reason to fail."""
    understood = heard(client, spoken(client, text))
    assert word_error_rate(words, understood) <= 0.35, understood


@pytest.mark.parametrize("text", ["😀", "\0", "…", "!!! ???", "你好", "‮"])
def test_text_without_a_sound_gives_a_short_silence(client: OpenAI, text: str) -> None:
    """A reply of one emoji is no error in the middle of a call."""
    samples = spoken(client, text)
    assert 0 < len(samples) <= RATE
    assert heard(client, samples) == ""


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_nothing_to_say_is_refused(client: OpenAI, text: str) -> None:
    """An empty text is a mistake of the caller."""
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.speech.create(model="hibari", voice="alloy", input=text)
    assert (refused.value.param, refused.value.code) == ("input", "empty_input")


def test_more_text_than_the_api_allows_is_refused(client: OpenAI, server: ModelsProcess) -> None:
    """4096 characters are the limit of OpenAI; the text is not in the log."""
    with pytest.raises(openai.BadRequestError, match="4096") as refused:
        client.audio.speech.create(model="hibari", voice="alloy", input="heliotrope " * 400)
    assert refused.value.param == "input"
    assert "heliotrope" not in server.log()


@pytest.mark.parametrize(
    "text",
    [
        "It goes on and on, " * 50,
        "nospaces" * 100,
        "9" * 200,
        "https://example.com/" + "a1-b2/" * 40,
        "=" * 3_000,
        "20 m² are ① room, İstanbul, 10⁻³, and 1,000,000,000,000,000,000,000,000,000,000,000,000,000.",
    ],
    ids=["one sentence", "one word", "one number", "one address", "one line", "odd digits"],
)
def test_long_and_odd_text_is_spoken(client: OpenAI, text: str) -> None:
    """What a language model may well write brings neither an error nor a stop for other callers."""
    assert len(spoken(client, text)) > RATE / 10


@given(st.text(max_size=40).filter(lambda text: text.strip()))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_spoken(client: OpenAI, text: str) -> None:
    """No character of Unicode brings the server down."""
    assert len(spoken(client, text)) > 0


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"voice": "alloy", "input": "heliotrope"}, "model"),
        ({"model": "hibari", "voice": "alloy"}, "input"),
        ({"model": "hibari", "input": "heliotrope"}, "voice"),
        ({"model": "hibari", "voice": "alloy", "input": 7}, "input"),
        ({"model": "hibari", "voice": 7, "input": "heliotrope"}, "voice"),
        ({"model": ["hibari"], "voice": "alloy", "input": "heliotrope"}, "model"),
        ({"model": "hibari", "voice": "alloy", "input": "heliotrope", "speed": 9}, "speed"),
        ({"model": "hibari", "voice": "alloy", "input": "heliotrope", "speed": "fast"}, "speed"),
        ({"model": "hibari", "voice": "alloy", "input": "heliotrope", "response_format": "midi"}, "response_format"),
        ({"model": "hibari", "voice": "alloy", "input": "heliotrope", "stream_format": "x"}, "stream_format"),
    ],
)
def test_a_wrong_member_is_named(server: ModelsProcess, body: dict[str, object], param: str) -> None:
    """400 with the name of what is missing or wrong; the text is not in the log."""
    answer = post_json(server.port, "/v1/audio/speech", json.dumps(body).encode())
    assert answer.status == 400
    assert re.match(param, answer.error()["param"])
    assert "heliotrope" not in server.log()
