"""The language models of a call: each failure brings the next one, and the answer is said once."""

import asyncio

import pytest
from livekit.agents import llm

from tests.providers.conftest import Build
from tests.providers.faults import Fault, body, cut_after, end_after, endless, hang, html, stall_after, status
from tests.providers.server import Provider

COUNT = "One two three four five six seven eight nine ten."
SORRY = "I am sorry, I cannot think right now, please try again in a moment."
SOON = {"LLM_FIRST_TOKEN_SECONDS": "3", "LLM_STALL_SECONDS": "3"}
HALF_JSON = b'data: {"id": "chatcmpl-1", "choices": [{"index": 0, "del\n\n'
BLANK = (
    b'data: {"id": "c", "choices": [{"index": 0, "delta": {"content": " \\n"}, "finish_reason": "stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
NO_WORDS = b'data: {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (hang(), "timeout"),
        (stall_after(0), "timeout"),
        (status(429), "rate limit"),
        (status(500), "status 500"),
        (status(401), "status 401"),
        (html(), "nonsense"),
        (body("text/event-stream", HALF_JSON), "nonsense"),
        (body("text/event-stream", b"<html>Please sign in</html>"), "connection lost"),
        (body("application/json", b"{}"), "nonsense"),
        (body("text/event-stream", NO_WORDS), "empty"),
        (body("text/event-stream", BLANK), "empty"),
        (cut_after(0), "connection lost"),
    ],
)
async def test_the_next_answers_when_one_does_not(
    build: Build, first: Provider, second: Provider, fault: Fault, why: str
) -> None:
    """The answer is there, whole and once, and it is told who failed and why."""
    first.fault = fault
    stages = await build(first, second, **SOON)
    assert (await stages.ask()).text == COUNT
    assert stages.failures == [("first/m", why)]
    assert stages.takeovers == [("first/m", "second/m")]


@pytest.mark.parametrize(
    ("scheme", "where", "why"),
    [
        ("http", "127.0.0.1:1", "connection refused"),
        ("https", "nowhere.invalid", "unknown host"),
        ("https", "", "tls"),
    ],
)
async def test_a_provider_that_is_not_there_is_passed_over_at_once(
    build: Build, first: Provider, second: Provider, scheme: str, where: str, why: str
) -> None:
    """Nobody listens at the first one's address, or somebody who is not who was meant."""
    place = where or first.base_url.removeprefix("http://").removesuffix("/v1")
    first.base_url = f"{scheme}://{place}/v1"
    stages = await build(first, second)
    assert (await stages.ask()).text == COUNT
    assert stages.failures == [("first/m", why)]


@pytest.mark.parametrize(
    ("fault", "why"),
    [(cut_after(3), "connection lost"), (end_after(3), "connection lost"), (stall_after(3), "stalled")],
)
async def test_an_answer_that_is_cut_goes_on_with_the_next_model(
    build: Build, first: Provider, second: Provider, fault: Fault, why: str
) -> None:
    """The next one says the same: only what was not said yet is said."""
    first.next(fault)
    stages = await build(first, second, **SOON)
    assert (await stages.ask()).text == COUNT
    assert stages.failures == [("first/m", why)]


async def test_another_answer_is_announced_and_said_whole(build: Build, first: Provider, second: Provider) -> None:
    """The words that were said cannot be taken back."""
    first.next(cut_after(3))
    second.answer = "One and two and three."
    stages = await build(first, second)
    assert (await stages.ask()).text == "One two three… Let me start again. One and two and three."


async def test_an_answer_that_is_cut_twice_is_still_said_once(build: Build, first: Provider, second: Provider) -> None:
    """Each one goes on where the one before it stopped."""
    first.next(cut_after(3))
    second.next(cut_after(6))
    stages = await build(first, second)
    assert (await stages.ask()).text == COUNT
    assert stages.takeovers == [("first/m", "second/m"), ("second/m", "first/m")]


async def test_the_only_model_is_asked_once_more(build: Build, first: Provider) -> None:
    """A server that dropped one connection has answered half a second later."""
    first.next(cut_after(3))
    stages = await build(first)
    assert (await stages.ask()).text == COUNT
    assert (stages.takeovers, stages.recoveries) == ([], ["first/m"])


async def test_the_last_one_is_waited_for_longer(build: Build, first: Provider, second: Provider) -> None:
    """Where nobody can take over, a slow answer is better than none."""
    first.fault = hang()
    second.delay = 2.5
    stages = await build(first, second, LLM_FIRST_TOKEN_SECONDS="2")
    assert (await stages.ask()).text == COUNT
    assert stages.failures == [("first/m", "timeout")]


async def test_after_a_timeout_nobody_is_asked_twice(build: Build, first: Provider, second: Provider) -> None:
    """The caller has waited long enough."""
    first.fault = hang()
    second.fault = status(500)
    stages = await build(first, second, LLM_FIRST_TOKEN_SECONDS="0.8")
    assert (await stages.ask()).text == SORRY
    assert (first.asked, second.asked) == (["chat"], ["chat"])


async def test_without_any_model_the_agent_apologises(build: Build, first: Provider, second: Provider) -> None:
    """It is no error of the session, which would end the call after a few."""
    first.fault = second.fault = status(503)
    stages = await build(first, second)
    assert (await stages.ask()).text == SORRY
    assert stages.outages == ["llm"]
    assert first.asked == second.asked == ["chat", "chat"]


async def test_an_answer_that_nobody_ends_ends_with_an_apology(build: Build, first: Provider) -> None:
    """What was said stands; the caller is not left with half a sentence."""
    first.fault = cut_after(3)
    stages = await build(first)
    assert (await stages.ask()).text == f"One two three… {SORRY}"


async def test_the_apology_is_in_the_agents_language(build: Build, first: Provider) -> None:
    """So is every phrase."""
    first.fault = status(500)
    stages = await build(first, language="de")
    assert (await stages.ask()).text.startswith("Es tut mir leid")


async def test_an_answer_without_an_end_is_ended(build: Build, first: Provider, second: Provider) -> None:
    """Nobody is asked to say as much again."""
    first.answer = " ".join(["word" * 250] * 10)
    first.fault = endless()
    stages = await build(first, second)
    assert 40_000 < len((await stages.ask()).text) <= 50_000
    assert (stages.failures, second.asked) == ([("first/m", "endless")], [])


async def test_half_a_letter_does_not_spoil_the_call(build: Build, first: Provider) -> None:
    """What is said is sent back with the next question, and what is heard too: nobody could take it."""
    first.answer = first.transcript = "Smile \ud83d please."
    stages = await build(first)
    assert (await stages.ask()).text == await stages.hear() == "Smile \N{REPLACEMENT CHARACTER} please."
    await stages.speak((await stages.ask()).text)
    assert stages.failures == []


async def test_an_interrupted_request_is_nobodys_failure(build: Build, first: Provider, second: Provider) -> None:
    """The user went on speaking: the model is not blamed, and the next question goes to it."""
    first.next(hang())
    stages = await build(first, second)
    asking = asyncio.create_task(stages.ask())
    await first.arrived.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (await stages.ask()).text == COUNT
    assert (stages.reports, second.asked) == ([], [])


@llm.function_tool
async def look_up(word: str) -> str:
    """Look a word up."""
    return word


async def test_a_tool_is_called_by_the_next_model_too(build: Build, first: Provider, second: Provider) -> None:
    """A call of a tool is an answer."""
    first.next(hang())
    second.tool_call = ("look_up", '{"word": "tea"}')
    stages = await build(first, second, **SOON)
    assert (await stages.ask([look_up])).tools == ["look_up"]


async def test_a_tool_is_not_called_twice(build: Build, first: Provider, second: Provider) -> None:
    """A stream that is cut after the call is not asked for again: the tool may have bought something."""
    first.tool_call = second.tool_call = ("look_up", '{"word": "tea"}')
    first.next(cut_after(2))
    stages = await build(first, second)
    assert (await stages.ask([look_up])).tools == ["look_up"]
    assert second.asked == []


async def test_a_model_that_failed_is_asked_first_again_after_a_rest(
    build: Build, first: Provider, second: Provider
) -> None:
    """Nothing but true requests is sent to it, and none while it rests."""
    first.next(status(500))
    stages = await build(first, second, MODEL_REST_SECONDS="0.5")
    await stages.ask()
    await stages.ask()
    assert (len(first.asked), len(second.asked)) == (1, 2)
    await asyncio.sleep(0.6)
    await stages.ask()
    assert (len(first.asked), len(second.asked)) == (2, 2)
    assert stages.recoveries == ["first/m"]


@pytest.mark.parametrize("seconds", ["60", "soon"])
async def test_retry_after_is_respected(build: Build, first: Provider, second: Provider, seconds: str) -> None:
    """Who asks to be left alone is, however short the rest; a header that says nothing is nothing."""
    first.next(status(429, retry_after=seconds))
    stages = await build(first, second, MODEL_REST_SECONDS="0.1")
    await stages.ask()
    await asyncio.sleep(0.2)
    await stages.ask()
    assert len(first.asked) == (1 if seconds == "60" else 2)


async def test_nobody_is_asked_against_its_will(build: Build, first: Provider) -> None:
    """When all ask to be left alone, the apology comes at once and no request is sent."""
    first.next(status(429, retry_after="60"))
    stages = await build(first)
    assert (await stages.ask()).text == SORRY
    assert (await stages.ask()).text == SORRY
    assert len(first.asked) == 1


async def test_a_short_wish_to_be_left_alone_is_waited_for(build: Build, first: Provider) -> None:
    """Better a second of silence than no answer."""
    first.next(status(429, retry_after="1"))
    stages = await build(first)
    assert (await stages.ask()).text == COUNT
