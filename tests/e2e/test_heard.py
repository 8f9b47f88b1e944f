"""A reply that is cut stands in the thread with the words that were heard: proven on the audio at the caller's ear."""

import difflib
import time
import uuid

import numpy as np
import pytest

from tests.support.caller import HEARD_RATE, Caller, Heard, Samples, call
from tests.support.ears import transcribe_samples
from tests.support.recordings import RECORDINGS
from tests.support.stack import RunningStack
from tests.support.thread_client import ThreadClient
from tests.support.wer import words

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXT = (
    "the quick brown fox jumps over the lazy dog and then the dog sleeps in the warm sun while seven white geese walk "
    "along the river and a small boat carries apples to the market in the old town"
)
SPOKEN_BEFORE_CUT_S = 2.5
MISHEARD_AT_MOST = 2  # words in a row
OFF_BY_AT_MOST = 1
NEWS_OF_HANGING_UP = 1  # words the agent says until the server tells it that nobody listens any more
QUIET_S = 0.06
QUIET = 100  # of 32,767


@pytest.mark.parametrize("how", ["speech", "typing", "hanging up"])
async def test_the_last_word_is_the_last_one_that_was_audible(stack: RunningStack, how: str) -> None:
    """However the reply is cut, the thread's last word and the last audible one differ by one at most.

    Of one who hangs up, the agent learns a moment later, and a busy machine stretches the moment.
    """
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    given = await stack.room_token(conversation)
    async with ThreadClient.open(stack, conversation) as chat, call(given["url"], given["token"]) as caller:
        await caller.until_agent_speaks(0.0)
        await caller.until_agent_is_silent()
        asked_at = time.monotonic()
        await chat.type(TEXT, id="long")
        begun = await caller.until_agent_speaks(asked_at)
        await caller.until_agent_speaks(begun + SPOKEN_BEFORE_CUT_S)
        cut_at = time.monotonic()
        await cut(how, caller, chat)
        reply = await chat.until(lambda m: m["role"] == "assistant" and m["reply_to"] == "long")
        await caller.until_agent_is_silent()
        heard = await transcribe_samples(stack.models, heard_until_cut(caller.heard, begun, cut_at), HEARD_RATE)
    assert reply["interrupted"]
    full = words(f"you typed {TEXT}")
    written = words(reply["text"])
    assert written == full[: len(written)]
    off_by_at_most = OFF_BY_AT_MOST + (NEWS_OF_HANGING_UP if how == "hanging up" else 0)
    assert abs(len(written) - position_in(full, words(heard))) <= off_by_at_most, (reply["text"], heard)


async def cut(how: str, caller: Caller, chat: ThreadClient) -> None:
    """End the agent's reply before its time."""
    match how:
        case "speech":
            await caller.say(*RECORDINGS["sense_and_sensibility_0930"].load())
        case "typing":
            await chat.type("Stop.")
        case _:
            await caller.close()


def heard_until_cut(heard: Heard, begun: float, cut_at: float) -> Samples:
    """The cut reply at the ear: up to the first quiet moment after it was cut, where the next reply has not begun."""
    before = len(heard.samples(begun)) - len(heard.samples(cut_at))
    samples = heard.samples(begun)
    size = int(QUIET_S * HEARD_RATE)
    for start in range(before, len(samples) - size, size // 4):
        if np.abs(samples[start : start + size]).max() < QUIET:
            return samples[:start]
    return samples


def position_in(text: list[str], heard: list[str]) -> int:
    """How many words of a text had been said when the heard words ended.

    The last one may be the beginning of a word, of which a recogniser makes whatever it likes: whatever comes after a
    gap counts as that one word.
    """
    said, used = 0, 0
    for block in difflib.SequenceMatcher(None, text, heard, autojunk=False).get_matching_blocks():
        if block.size and block.a - said <= MISHEARD_AT_MOST and block.b - used <= MISHEARD_AT_MOST:
            said, used = block.a + block.size, block.b + block.size
    return said + min(1, len(heard) - used)
