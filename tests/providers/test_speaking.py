"""The voices of a call: each failure brings the next one, which goes on about where the sentence was cut."""

import io
import wave

import pytest

from tests.providers.conftest import Build
from tests.providers.faults import Fault, body, cut_after, end_after, endless, hang, html, stall_after, status
from tests.providers.server import PIECE_S, SECONDS_PER_LETTER, Provider

SENTENCE = "The quick brown fox jumps over the lazy dog and runs along the river."
WHOLE_S = SECONDS_PER_LETTER * sum(map(str.isalnum, SENTENCE))
SOON = {"TTS_FIRST_AUDIO_SECONDS": "3", "TTS_STALL_SECONDS": "3"}


def wav_header() -> bytes:
    """A WAV file without any sound."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(24_000)
    return file.getvalue()


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (hang(), "timeout"),
        (stall_after(0), "timeout"),
        (status(429), "rate limit"),
        (status(503), "status 503"),
        (html(), "nonsense"),
        (body("application/json", b'{"audio": "'), "nonsense"),
        (body("audio/pcm", b"<html><body>Please sign in before you speak</body></html>"), "nonsense"),
        (body("audio/wav", wav_header()), "no sound"),
        (body("audio/pcm", wav_header()), "cut short"),
        (body("audio/pcm", b""), "no sound"),
        (cut_after(0), "connection lost"),
    ],
)
async def test_the_next_voice_speaks_when_one_does_not(
    build: Build, first: Provider, second: Provider, fault: Fault, why: str
) -> None:
    """The caller hears the whole sentence, in the other voice, and no page of HTML as noise."""
    first.fault = fault
    stages = await build(first, second, **SOON)
    [(tone, seconds)] = await stages.speak(SENTENCE)
    assert tone == second.tone
    assert seconds == pytest.approx(WHOLE_S, abs=0.1)
    assert stages.failures == [("first/m", why)]
    assert second.spoke == [SENTENCE]


@pytest.mark.parametrize(("fault", "why"), [(cut_after(10), "connection lost"), (stall_after(10), "stalled")])
async def test_a_sentence_that_is_cut_goes_on_about_where_it_stopped(
    build: Build, first: Provider, second: Provider, fault: Fault, why: str
) -> None:
    """The beginning is not said again, but for a word; nothing is left out."""
    stages = await build(first, second, **SOON)
    await stages.speak(SENTENCE)  # from then on the pace of this voice is known
    first.next(fault)
    heard = await stages.speak(SENTENCE)
    assert [tone for tone, _ in heard] == [first.tone, second.tone]
    [rest] = second.spoke
    assert SENTENCE.endswith(rest)
    assert WHOLE_S - 0.1 <= sum(seconds for _, seconds in heard) <= WHOLE_S + 1.0
    assert heard[0][1] == pytest.approx(10 * PIECE_S, abs=0.3)
    assert stages.failures == [("first/m", why)]


async def test_a_sentence_that_ends_much_too_early_goes_on(build: Build, first: Provider, second: Provider) -> None:
    """A server that lost its voice and says that all is well: so little sound is not the whole sentence."""
    first.next(end_after(2))
    stages = await build(first, second)
    heard = await stages.speak(SENTENCE)
    assert [tone for tone, _ in heard] == [first.tone, second.tone]
    assert stages.failures == [("first/m", "cut short")]


async def test_a_voice_that_never_ends_is_stopped(build: Build, first: Provider, second: Provider) -> None:
    """The sentence was said long ago; the other voice has nothing to add."""
    first.next(endless())
    stages = await build(first, second)
    heard = await stages.speak("Yes, of course.")
    assert {tone for tone, _ in heard} == {first.tone}
    assert stages.failures == [("first/m", "endless")]
    assert second.spoke == []


async def test_the_next_sentence_stays_with_the_voice_that_took_over(
    build: Build, first: Provider, second: Provider
) -> None:
    """Nobody wants to hear two voices by turns."""
    first.next(status(500))
    stages = await build(first, second)
    await stages.speak("One sentence.")
    await stages.speak("Another sentence.")
    assert (len(first.asked), second.spoke) == (1, ["One sentence.", "Another sentence."])


async def test_without_any_voice_there_is_silence_as_long_as_the_words(build: Build, first: Provider) -> None:
    """So the words are shown, and stand in the thread, at the pace of speech; the call goes on."""
    first.fault = status(500)
    stages = await build(first)
    [(tone, seconds)] = await stages.speak(SENTENCE)
    assert (tone, stages.outages) == (0, ["tts"])
    assert 3.0 <= seconds <= 6.0


async def test_what_cannot_be_spoken_is_a_short_pause(build: Build, first: Provider) -> None:
    """An emoji alone is sent to nobody, and nobody is blamed for it."""
    stages = await build(first)
    [(tone, seconds)] = await stages.speak("🙂 …")
    assert tone == 0
    assert seconds == pytest.approx(0.1)
    assert (first.asked, stages.failures) == ([], [])


async def test_a_voice_of_its_own_is_asked_of_the_first_alone(build: Build, first: Provider, second: Provider) -> None:
    """Another provider does not know that name, and would refuse."""
    first.next(status(500))
    stages = await build(first, second, TTS_VOICE="amelia")
    await stages.speak("Yes.")
    assert (first.voices, second.voices) == (["amelia"], ["alloy"])
