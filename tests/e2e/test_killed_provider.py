"""The first provider of a call is killed in the middle of a turn, and comes back: on the real stack."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent.journal import CallEvent, SqliteJournal
from agent.journal.opening import FILE_NAME
from tests.support.caller import HEARD_RATE, Caller, call
from tests.support.ears import transcribe_samples
from tests.support.front import Front, front, reserve_port
from tests.support.recordings import RECORDINGS, Recording
from tests.support.stack import RunningStack, running_stack
from tests.support.wer import word_error_rate, words

FIRST = RECORDINGS["sense_and_sensibility_0930"]
SECOND = RECORDINGS["sense_and_sensibility_0890"]
THIRD = RECORDINGS["sense_and_sensibility_0870"]


@pytest.mark.timeout(240)
async def test_the_answer_comes_once_although_its_provider_is_killed(tmp_path: Path) -> None:
    """Killed while it thinks, killed while it speaks: the caller hears each answer once, the thread holds it once.

    When the provider is back, it is asked again.
    """
    with reserve_port() as reserved:
        port = reserved.getsockname()[1]
        env = {
            "FRONT_BASE_URL": f"http://127.0.0.1:{port}/v1",
            "STT_MODELS": "front/moonshine-tiny-en,local/moonshine-tiny-en",
            "LLM_MODELS": "front/responder,local/responder",
            "TTS_MODELS": "front/hibari,local/hibari",
            "MODEL_REST_SECONDS": "1",
            "MODEL_LONGEST_REST_SECONDS": "1",
            # A busy machine is not what is tested here.
            **dict.fromkeys(("STT_SECONDS", "LLM_FIRST_TOKEN_SECONDS", "LLM_STALL_SECONDS"), "30"),
            **dict.fromkeys(("TTS_FIRST_AUDIO_SECONDS", "TTS_STALL_SECONDS"), "30"),
        }
        async with running_stack(tmp_path, env) as stack, front(port, stack.models) as provider:
            given = await stack.room_token("killed")
            async with call(given["url"], given["token"]) as caller:
                await stack.until_thread("killed", 1)  # the greeting
                heard = [await turn(stack, caller, FIRST, lambda: killed_at(provider, "chat 4"))]
                await provider.start()
                heard.append(await turn(stack, caller, SECOND, lambda: killed_at(provider, "speech 6")))
                await provider.start()
                heard.append(await turn(stack, caller, THIRD, lambda: provider.until("speech 1")))
            thread = await stack.thread("killed")
        events = await all_events(tmp_path)
    assert len(thread) == 7
    for recording, heard_words, said, answer in zip(
        (FIRST, SECOND, THIRD), heard, thread[1::2], thread[2::2], strict=True
    ):
        assert words(answer["text"]) == ["you", "said", *words(said["text"])]
        assert answer["reply_to"] == said["id"]
        assert word_error_rate(recording.transcript, said["text"]) <= 0.25
        assert word_error_rate(answer["text"], heard_words) <= 0.35
    fallbacks = {(e.details["stage"], e.details["from"], e.details["to"]) for e in events if e.kind == "fallback"}
    assert ("llm", "front/responder", "local/responder") in fallbacks
    assert ("tts", "front/hibari", "local/hibari") in fallbacks
    assert {e.details["model"] for e in events if e.kind == "recovery"} >= {"front/responder", "front/hibari"}


async def turn(
    stack: RunningStack, caller: Caller, recording: Recording, meanwhile: Callable[[], Awaitable[None]]
) -> str:
    """Say a recording; returns what is heard until the thread has it and the answer."""
    before = len(await stack.thread("killed"))
    spoken_at = await caller.say(*recording.load())
    await meanwhile()
    await stack.until_thread("killed", before + 2)
    await caller.until_agent_is_silent()
    return await transcribe_samples(stack.models, caller.heard.samples(spoken_at), HEARD_RATE)


async def killed_at(provider: Front, line: str) -> None:
    """Kill it as soon as it has said this."""
    await provider.until(line)
    await provider.kill()


async def all_events(data_dir: Path) -> list[CallEvent]:
    """What the journal of the stack holds of all calls."""
    with SqliteJournal(data_dir / FILE_NAME) as journal:
        return [event for made in await journal.calls(10) for event in await journal.events_of_call(made.id)]
