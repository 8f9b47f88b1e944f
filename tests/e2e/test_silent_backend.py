"""`brain: chat` with a backend that does not answer: the caller is told, the question is asked again."""

from pathlib import Path

import pytest

from tests.support.caller import HEARD_RATE, call
from tests.support.ears import transcribe_samples
from tests.support.guide_server import guide_server
from tests.support.recordings import RECORDINGS
from tests.support.stack import running_stack


@pytest.mark.timeout(240)
async def test_the_backends_silence_is_said_aloud_and_the_question_asked_again(tmp_path: Path) -> None:
    """Ten seconds of silence are explained once; the answer that comes then is spoken."""
    async with guide_server() as backend:
        backend.answer_from = 2
        env = {"CHAT_API_URL": backend.url, "BRAIN": "chat"}
        async with running_stack(tmp_path, env) as stack:
            given = await stack.room_token("silent")
            async with call(given["url"], given["token"]) as caller:
                await caller.until_agent_speaks(0.0)
                await caller.until_agent_is_silent()
                spoken_at = await caller.say(*RECORDINGS["sense_and_sensibility_0930"].load())
                await caller.until_agent_speaks(spoken_at)
                await caller.until_agent_is_silent(seconds=4.0)
                heard = await transcribe_samples(stack.models, caller.heard.samples(spoken_at), HEARD_RATE)
    assert "still waiting" in heard.lower()
    assert heard.lower().count("moment") == 1
    assert "amiable" in heard.lower()
    questions = [entry for entry in backend.log if entry.startswith("next ")]
    assert len(questions) == 2
    assert len(set(questions)) == 1
    texts = [message["text"] for message in backend.messages]
    assert len([text for text in texts if text.startswith("The answer")]) == 1
