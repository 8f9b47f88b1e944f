"""The recognisers of a call: each failure gives the same audio to the next one."""

import pytest
from livekit.agents import APIError

from tests.providers.conftest import Build
from tests.providers.faults import Fault, body, cut_after, hang, html, stall_after, status
from tests.providers.server import Provider

SOON = {"STT_SECONDS": "3"}


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (hang(), "timeout"),
        (stall_after(1), "timeout"),
        (status(429), "rate limit"),
        (status(502), "status 502"),
        (html(), "nonsense"),
        (body("application/json", b'{"text": "Wh'), "nonsense"),
        (body("application/json", b'{"words": 3}'), "nonsense"),
        (body("application/json", b'{"text": 7}'), "nonsense"),
        (body("application/json", b'{"text": "' + 10_000 * b"very " + b'"}'), "nonsense"),
        (body("application/json", b" " * 2_000_000), "endless"),
        (cut_after(1), "connection lost"),
    ],
)
async def test_the_next_one_gets_the_same_audio(
    build: Build, first: Provider, second: Provider, fault: Fault, why: str
) -> None:
    """The words are there, and it is told who failed and why."""
    first.fault = fault
    stages = await build(first, second, **SOON)
    assert await stages.hear() == second.transcript
    assert stages.failures == [("first/m", why)]
    assert stages.takeovers == [("first/m", "second/m")]
    assert second.heard == first.heard


async def test_silence_is_an_answer(build: Build, first: Provider, second: Provider) -> None:
    """No words in the audio are no failure."""
    first.transcript = ""
    stages = await build(first, second)
    assert await stages.hear() == ""
    assert second.asked == []


async def test_when_nobody_hears_it_is_an_error_that_says_no_word(build: Build, first: Provider) -> None:
    """Whoever asked keeps the audio and asks again."""
    first.fault = status(500)
    stages = await build(first)
    with pytest.raises(APIError, match=r"no recogniser is left \(status 500\)"):
        await stages.hear()
    assert stages.outages == ["stt"]
    first.fault = None
    assert await stages.hear() == first.transcript


async def test_a_long_recording_may_take_longer(build: Build, first: Provider, second: Provider) -> None:
    """A fifth of its length is added to the patience."""
    first.delay = 4.0
    stages = await build(first, second, **SOON)
    await stages.hear(seconds=20.0)
    assert stages.failures == []
