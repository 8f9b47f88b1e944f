"""A call whose models fail goes on: the agent is not silent, no turn is lost, and the journal tells what happened."""

import asyncio
import json

import pytest

from agent.phrases import Phrase, say
from tests.providers.conftest import Build
from tests.providers.faults import body, cut_after, status
from tests.providers.server import Provider
from tests.providers.session import RATE, running_session
from tests.support.caller import resample
from tests.support.recordings import RECORDINGS

SORRY = say(Phrase.CANNOT_THINK, "en")
NOT_HEARD = say(Phrase.CANNOT_HEAR, "en")


async def test_turns_that_nobody_answers_do_not_end_the_call(build: Build, first: Provider) -> None:
    """livekit-agents closes a session after four errors in a row; here each turn stands with an apology."""
    first.faults = {"chat": status(500)}
    async with running_session(await build(first)) as call:
        for number in range(5):
            await call.session.generate_reply(user_input=f"Question {number}.")
        first.faults = {}
        await call.session.generate_reply(user_input="And now?")
        said = call.history
    asked = [("user", f"Question {number}.") for number in range(5)]
    expected = [turn for question in asked for turn in (question, ("assistant", SORRY))]
    assert said == [*expected, ("user", "And now?"), ("assistant", first.answer)]


async def test_an_answer_that_no_voice_speaks_is_written(build: Build, first: Provider) -> None:
    """Who cannot hear the agent can read it; the call goes on."""
    first.faults = {"speech": status(500)}
    async with running_session(await build(first)) as call:
        for _ in range(5):
            await call.session.generate_reply(user_input="Count, please.")
        assert call.history == [("user", "Count, please."), ("assistant", first.answer)] * 5


async def test_what_is_said_while_nobody_hears_is_answered_later(build: Build, first: Provider) -> None:
    """The caller is told, and need not say it again: the same audio is transcribed when a recogniser is back."""
    recording = RECORDINGS["sense_and_sensibility_0930"]
    first.faults = {"transcription": status(500)}
    async with running_session(await build(first)) as call:
        call.microphone.say(resample(*recording.load(), RATE))
        assert await call.until_history(1) == [("assistant", NOT_HEARD)]
        first.heard.clear()
        first.faults = {}
        assert (await call.until_history(3))[1:] == [("user", first.transcript), ("assistant", first.answer)]
    assert max(first.heard) > recording.seconds * RATE * 2


async def test_no_log_line_holds_what_was_said(
    build: Build, first: Provider, second: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """Providers quote in their errors what they were sent, libraries quote in theirs what they could not say."""
    said = b"heliotrope"
    lies = [body("text/event-stream", b'data: {"error": {"message": "heliotrope"}}\n\n'), body("text/html", said)]
    sounds = [body("audio/wav", b""), body("audio/pcm", said * 100)]
    first.answer = second.answer = "Say heliotrope once more."
    stages = await build(first, second, MODEL_REST_SECONDS="0.05")
    async with running_session(stages) as call:
        for lie in [*lies, status(400), cut_after(2)]:
            first.faults = {"chat": lie}
            await call.session.generate_reply(user_input="Heliotrope?")
            await asyncio.sleep(0.1)  # it has rested
        for sound in sounds:
            first.faults = {"speech": sound}
            await call.session.generate_reply(user_input="Heliotrope?")
            await asyncio.sleep(0.1)
    assert "first/m failed" in caplog.text
    lines = "\n".join(record.getMessage() + (record.exc_text or "") for record in caplog.records)
    assert "heliotrope" not in lines.lower()


async def test_the_journal_tells_what_happened_and_no_word_of_it(
    build: Build, first: Provider, second: Provider
) -> None:
    """Stage, from, to and why, in order; neither questions nor answers nor the providers' own words."""
    first.next(cut_after(3))
    stages = await build(first, second, MODEL_REST_SECONDS="0.05")
    async with running_session(stages) as call:
        await call.session.generate_reply(user_input="Count, please.")
        await asyncio.sleep(0.1)  # it has rested
        await call.session.generate_reply(user_input="Once more.")
        second.faults = first.faults = {"chat": status(503)}
        await call.session.generate_reply(user_input="And again.")
        events = await call.events()
    assert [(event.kind, dict(event.details)) for event in events[:3]] == [
        ("error", {"stage": "llm", "model": "first/m", "why": "connection lost"}),
        ("fallback", {"stage": "llm", "from": "first/m", "to": "second/m", "why": "connection lost"}),
        ("recovery", {"stage": "llm", "model": "first/m"}),
    ]
    assert events[-1].kind == "error"
    assert events[-1].details == {"stage": "llm", "model": "all", "why": "status 503"}
    written = json.dumps([dict(event.details) for event in events])
    assert not any(word in written for word in ("Count", "One", "again", "refused", "sorry"))
