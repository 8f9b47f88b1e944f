"""Whole calls and their failures, at DEBUG: no secret and nothing that anybody said stands in a line of the log."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio
from livekit import api
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from agent.dev.secrets import load_dev_secrets
from tests.support.caller import Caller, call
from tests.support.recordings import RECORDINGS
from tests.support.secrecy import assert_keeps_secrets, leaks
from tests.support.stack import RunningStack, running_stack
from tests.support.thread_client import ThreadClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

AMIABLE = RECORDINGS["sense_and_sensibility_0930"]
# One for each place from which a secret or a word could come; no word of them stands anywhere else.
SECRETS = {
    name: f"planted-{name}-{uuid.uuid4().hex}"
    for name in ("key", "password", "profile-token", "user-token", "query-token", "misplaced")
}
WORDS = {
    "spoken": "amiable",
    "typed in the room": "zanzibar",
    "typed in the thread": "quokkas",
    "greeting": "bonanza",
    "instructions": "kumquat",
    "name": "rumpelstiltskin",
    "variable": "chrysanthemum",
    "frame": "hullabaloo",
    "upload": "flibbertigibbet",
}
PLANTED = (*SECRETS.values(), *WORDS.values())
NOBODY = "127.0.0.1:9"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """A stack whose first models cannot be reached and whose settings are full of secrets."""
    env = {
        "LOG_LEVEL": "DEBUG",
        "ACME_BASE_URL": f"http://{NOBODY}/v1",
        "ACME_API_KEY": SECRETS["key"],
        **{f"{kind}_MODELS": f"acme/model,local/{name}" for kind, name in LOCAL.items()},
        "PROFILES": f"http://{NOBODY}/{{name}}?key={SECRETS['profile-token']}",
        "PROFILES_TOKEN": SECRETS["profile-token"],
    }
    async with running_stack(tmp_path_factory.mktemp("trust"), env) as running:
        yield running


LOCAL = {"STT": "moonshine-tiny-en", "LLM": "responder", "TTS": "hibari"}


@asynccontextmanager
async def calling(stack: RunningStack, conversation: str, **members: Any) -> AsyncIterator[Caller]:
    """Call by a dispatch with these members, as an application of one's own makes it."""
    secrets = load_dev_secrets(stack.data_dir)
    metadata = json.dumps({"conversation_id": conversation, **members})
    dispatch = api.RoomAgentDispatch(agent_name="voice-agent", metadata=metadata)
    token = (
        api.AccessToken(secrets.livekit_api_key, secrets.livekit_api_secret)
        .with_identity("tester")
        .with_grants(api.VideoGrants(room_join=True, room=f"trust-{uuid.uuid4().hex[:8]}"))
        .with_room_config(api.RoomConfiguration(agents=[dispatch]))
    )
    async with call(stack.livekit, token.to_jwt()) as caller:
        yield caller


async def until_logged(stack: RunningStack, text: str, times: int = 1) -> None:
    """Wait until the log holds a text this often."""
    async with asyncio.timeout(60):
        while stack.log().count(text) < times:
            await asyncio.sleep(0.05)


async def test_a_call_in_which_models_fail_says_nothing_of_its_content(stack: RunningStack) -> None:
    """Spoken, typed in the room, typed in the thread, greeted, answered by models that stand in for others."""
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    agent = {"greeting": "Bonanza, {{user.name}}, {{variables.flower}}!", "instructions": "Speak of the kumquat."}
    job = {"agent": agent, "variables": {"flower": WORDS["variable"]}, "user": {"id": "7", "name": WORDS["name"]}}
    async with (
        calling(stack, conversation, **job) as caller,
        ThreadClient.open(stack, conversation) as chat,
    ):
        await chat.until(lambda m: WORDS["name"] in m["text"] and WORDS["variable"] in m["text"])
        await caller.until_agent_is_silent()
        await caller.say(*AMIABLE.load())
        await chat.until(lambda m: m["role"] == "assistant" and "amiable" in m["text"])
        await caller.send_text("I live in Zanzibar.")
        await chat.until(lambda m: m["role"] == "assistant" and "Zanzibar" in m["text"])
        await chat.type("I have seven quokkas.", id="typed-1")
        await chat.until(lambda m: m["role"] == "assistant" and m["reply_to"] == "typed-1")
    await until_logged(stack, "call ended")
    assert_keeps_secrets(stack.log(), PLANTED)


async def test_refused_jobs_name_keys_and_no_values(stack: RunningStack) -> None:
    """A value in a wrong place, and a profile that cannot be had."""
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    for job, said in (
        ({"colour": SECRETS["misplaced"]}, "unknown key 'colour'"),
        ({"agent": {"language": SECRETS["misplaced"]}}, "key 'agent.language'"),
        ({"models": {"llm": [SECRETS["misplaced"]]}}, "key 'models.llm'"),
        ({"agent": "shop"}, f"key 'agent': http://{NOBODY}/shop?… cannot be reached"),
    ):
        async with calling(stack, conversation, **job):
            await until_logged(stack, said)
    assert_keeps_secrets(stack.log(), PLANTED)


async def test_a_refused_chat_says_nothing_of_the_token(stack: RunningStack) -> None:
    """The chat refuses the token that the job brings for the user, and the call goes on."""
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    async with calling(stack, conversation, user={"id": "7", "token": SECRETS["user-token"]}) as caller:
        await caller.until_agent_speaks(0.0)
        await until_logged(stack, "refused the connection with 401")
        await caller.send_text("I live in Zanzibar.")
        await caller.until_agent_is_silent()
    assert_keeps_secrets(stack.log(), PLANTED)


async def test_servers_say_nothing_of_what_they_refuse(stack: RunningStack) -> None:
    """Bad tokens, bad frames, bad uploads, bad requests."""
    conversation = f"c_{uuid.uuid4().hex[:12]}"
    bad = urlencode({"token": SECRETS["query-token"], "app_type": "test"})
    with pytest.raises(WebSocketException):
        async with connect(f"{stack.chat}conversation/{conversation}/?{bad}"):
            pass
    good = urlencode({"session_user": "tester", "app_type": "test"})
    async with connect(f"{stack.chat}conversation/{conversation}/?{good}") as link:
        await link.send(f'{{"event": "{WORDS["frame"]}", ')
        await link.send(f'{{"event": "action", "data": {{"action": "{WORDS["frame"]}"}}}}')
        await link.recv()
    async with aiohttp.ClientSession() as http:
        for url, body in (
            (f"{stack.models}/audio/transcriptions", {"file": WORDS["upload"], "model": "moonshine-tiny-en"}),
            (f"{stack.models}/audio/speech", {"input": WORDS["upload"], "voice": WORDS["upload"]}),
            (f"{stack.models}/chat/completions", {"messages": WORDS["upload"], "model": WORDS["upload"]}),
            (f"{stack.page}/api/generate-room-token?session_user=x", {"conversation": WORDS["upload"] + " !"}),
            (f"{stack.page}/api/dev/login", {"user": {"a": WORDS["upload"]}}),
        ):
            async with http.post(
                url, json=body, headers={"Authorization": f"Bearer {SECRETS['query-token']}"}
            ) as answer:
                assert answer.status >= 400
    assert_keeps_secrets(stack.log(), PLANTED)


async def test_what_was_planted_would_be_found(stack: RunningStack) -> None:
    """The log is one of DEBUG and of every process, and the search finds what is in it."""
    log = stack.log()
    for part in ("models", "chat", "worker"):
        assert any(line.startswith(part) for line in log.splitlines()), part
    assert "DEBUG" in log
    for text in (*PLANTED, "ws://u:secretpassword@host/", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZ2VudCJ9.x"):
        assert leaks(f"{log}\nworker INFO something {text.upper() if text in WORDS.values() else text}", PLANTED), text
    assert leaks(f"table {SECRETS['key'][:20]}\n      {SECRETS['key'][20:]}", PLANTED)
