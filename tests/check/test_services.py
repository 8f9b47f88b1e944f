"""`python -m agent check` against servers that are wrong in each way: the finding says how, and what to do."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSCloseCode, web

from agent.check.command import look_at_services
from agent.check.findings import Finding
from agent.job import Job
from agent.settings import load_settings

SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2"
CLOSED = "127.0.0.1:9"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    """Answers every request; gives its host and port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def findings_of(tmp_path: Path, host: str, timeout: float = 10.0, **env: str) -> dict[str, Finding]:
    """What is found where all services are at one host, by area and, for LiveKit and chat, subject."""
    settings = load_settings(
        {
            "DATA_DIR": str(tmp_path),
            "LIVEKIT_URL": f"ws://{host}",
            "LIVEKIT_API_KEY": "key",
            "LIVEKIT_API_SECRET": SECRET,
            "CHAT_API_URL": f"ws://{host}/ws/v1/",
            "CHAT_TOKEN": SECRET,
            "ACME_BASE_URL": f"http://{host}/v1",
            "ACME_API_KEY": SECRET,
            **{f"{kind}_MODELS": "acme/model" for kind in ("STT", "LLM", "TTS")},
            **env,
        },
        None,
    )
    findings = await look_at_services(settings, Job(conversation_id="c"), timeout)
    assert SECRET not in json.dumps([finding.as_json() for finding in findings])
    named = {"API": "LiveKit API", "worker": "LiveKit worker"}
    return {
        named.get(f.subject) or (f"chat {f.subject.split(',')[0]}" if f.area == "chat" else f.area): f for f in findings
    }


MODELS = ("speech to text", "language model", "text to speech")
LIVEKIT = ("LiveKit API", "LiveKit worker")
CHAT = ("chat WebSocket", "chat history")


def assert_wrong(findings: dict[str, Finding], areas: tuple[str, ...], said: str, advice: str) -> None:
    """Each of these is wrong in this way."""
    for area in areas:
        finding = findings[area]
        assert not finding.ok, finding
        assert said in finding.said, finding
        assert advice in finding.advice, finding


def answering(status: int, text: str = "", content_type: str = "application/json") -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, content_type=content_type)

    return answer


async def test_nothing_runs(tmp_path: Path) -> None:
    """With no settings at all each service says that `make dev` would start it."""
    ports = {f"{name}_PORT": "9" for name in ("LIVEKIT", "PAGE", "MODELS")}
    settings = load_settings({"DATA_DIR": str(tmp_path), **ports}, None)
    findings = await look_at_services(settings, Job(conversation_id="c"), 10.0)
    assert len(findings) == 8
    assert all(not finding.ok and "`make dev`" in finding.advice for finding in findings)
    assert not list(tmp_path.iterdir())


async def test_a_closed_port(tmp_path: Path) -> None:
    """Each finding names the setting that holds the address."""
    findings = await findings_of(tmp_path, CLOSED)
    assert_wrong(findings, LIVEKIT, "nothing listens there", "LIVEKIT_URL")
    assert_wrong(findings, CHAT, "nothing listens there", "CHAT_API_URL")
    assert_wrong(findings, MODELS, "nothing listens there", "ACME_BASE_URL")


async def test_a_host_that_does_not_exist(tmp_path: Path) -> None:
    """A name that nobody has."""
    findings = await findings_of(tmp_path, "no-such-host.invalid", ALLOW_INSECURE="true")
    assert_wrong(findings, (*LIVEKIT, *CHAT, *MODELS), "there is no such host", "check the name in")


@pytest.mark.parametrize("status", [401, 403])
async def test_bad_credentials(tmp_path: Path, status: int) -> None:
    """The case of the integration guide: each finding names the credential."""
    async with server(answering(status, '{"error": {"message": "no"}}')) as host:
        findings = await findings_of(tmp_path, host)
    assert_wrong(findings, LIVEKIT, f"the keys are refused ({status})", "LIVEKIT_API_KEY and LIVEKIT_API_SECRET")
    assert_wrong(findings, ("chat WebSocket",), f"refuses the worker ({status})", "check CHAT_TOKEN")
    assert "CHAT_DIALECT=unpod" in findings["chat WebSocket"].advice
    assert_wrong(findings, ("chat history",), f"answered {status}", "check CHAT_TOKEN")
    assert_wrong(findings, MODELS, f"refuses the key ({status})", "ACME_API_KEY")


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "has no such model"), (400, "does not accept"), (429, "refuses more requests"), (503, "answers 503")],
)
async def test_a_model_that_refuses(tmp_path: Path, status: int, said: str) -> None:
    """A wrong name, a wrong request, no credit, an overloaded server."""
    async with server(answering(status, '{"error": {"message": "no"}}')) as host:
        findings = await findings_of(tmp_path, host)
    assert_wrong(findings, MODELS, said, "")
    assert "LLM_MODELS" in findings["language model"].advice or status in (429, 503)


async def test_a_server_that_answers_everything_with_a_web_page(tmp_path: Path) -> None:
    """200 and HTML: a wrong path, or a portal on the way; it is neither speech nor an empty answer."""
    async with server(answering(200, "<!DOCTYPE html><p>Welcome</p>" * 2_000, "text/html")) as host:
        findings = await findings_of(tmp_path, host)
    assert_wrong(findings, LIVEKIT, "not as a LiveKit server", "LIVEKIT_URL")
    assert_wrong(findings, ("chat WebSocket",), "not as a chat (200)", "CHAT_API_URL")
    assert_wrong(findings, ("chat history",), "not JSON", "CHAT_API_URL")
    assert_wrong(findings, MODELS, "such as a web page", "ACME_BASE_URL")


async def test_a_server_that_answers_with_half_a_json(tmp_path: Path) -> None:
    """And calls it a success."""
    async with server(answering(200, '{"text": "hel')) as host:
        findings = await findings_of(tmp_path, host)
    assert_wrong(findings, ("speech to text",), "not that of an OpenAI API", "ACME_BASE_URL")
    assert_wrong(findings, ("language model",), "", "ACME_BASE_URL")
    assert_wrong(findings, ("text to speech",), "something else than its API", "ACME_BASE_URL")


async def test_a_server_that_hangs(tmp_path: Path) -> None:
    """It is given up after the time-out, and all are asked at once."""
    over = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async with server(hang) as host, AsyncExitStack() as exits:
        exits.callback(over.set)
        async with asyncio.timeout(30):
            findings = await findings_of(tmp_path, host, timeout=1.5)
    assert_wrong(findings, (*LIVEKIT, *CHAT, *MODELS), "no answer within 1.5 s", "")
    assert all(finding.advice for finding in findings.values())


def chat_server(close: int | None = None, results: list[Any] | None = None, pongs: bool = True) -> Handler:
    """A chat that closes at once, or has this history, or is dead though it is open."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/messages/"):
            return web.json_response({"results": results or [], "next": None})
        socket = web.WebSocketResponse(autoping=pongs)
        await socket.prepare(request)
        if close is not None:
            await socket.close(code=close)
        async for _ in socket:
            pass
        return socket

    return answer


@pytest.mark.parametrize("code", [WSCloseCode.POLICY_VIOLATION, WSCloseCode.TRY_AGAIN_LATER])
async def test_a_chat_that_throws_the_worker_out_at_once(tmp_path: Path, code: int) -> None:
    """The guide's case of excessive reconnections."""
    async with server(chat_server(close=code)) as host:
        findings = await findings_of(tmp_path, host)
    assert_wrong(findings, ("chat WebSocket",), f"closes the connection at once ({code})", "APP_TYPE")
    assert "again and again" in findings["chat WebSocket"].said


async def test_a_chat_that_is_open_and_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the reasons why messages are not received."""
    monkeypatch.setattr("agent.check.chat.ANSWER_TIMEOUT_S", 0.5)
    async with server(chat_server(pongs=False)) as host:
        findings = await findings_of(tmp_path, host, timeout=3.0)
    assert_wrong(findings, ("chat WebSocket",), "no ping is answered", "CHAT_API_URL")


async def test_a_chat_of_the_other_dialect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one: what it sends is not understood."""
    monkeypatch.setattr("agent.check.chat.ANSWER_TIMEOUT_S", 0.5)
    block = {"block_id": "b", "seq_number": 1, "data": {"content": "Hello"}}
    async with server(chat_server(results=[block])) as host:
        guide = await findings_of(tmp_path, host, timeout=3.0)
        unpod = await findings_of(tmp_path, host, timeout=3.0, CHAT_DIALECT="unpod")
    assert guide["chat WebSocket"].ok
    assert_wrong(guide, ("chat history",), "not in the form of the dialect", "CHAT_DIALECT=unpod")
    assert unpod["chat history"].ok
    assert_wrong(unpod, ("chat WebSocket",), "answers no ping of the dialect unpod", "CHAT_DIALECT=guide")


async def test_a_worker_without_a_chat_is_well(tmp_path: Path) -> None:
    """Calls need none; it is said what that means."""
    settings = load_settings({"DATA_DIR": str(tmp_path), "LIVEKIT_URL": f"ws://{CLOSED}"}, None)
    chat = [f for f in await look_at_services(settings, Job(conversation_id="c"), 5.0) if f.area == "chat"]
    assert [(finding.ok, "no thread" in finding.said) for finding in chat] == [(True, True)]


async def test_only_what_a_call_uses_is_asked(tmp_path: Path) -> None:
    """A call of text alone needs no speech, one that the backend answers no language model."""
    settings = load_settings({"DATA_DIR": str(tmp_path), "MODELS_PORT": "9"}, None)
    for members, areas in (
        ({"modality": "text"}, {"language model"}),
        ({"brain": "chat"}, {"speech to text", "sentence model", "text to speech"}),
        ({"brain": "chat", "agent": {"language": "de"}}, {"speech to text", "text to speech"}),
    ):
        job = Job.model_validate({"conversation_id": "c", **members})
        assert {f.area for f in await look_at_services(settings, job, 5.0)} - {"LiveKit", "chat"} == areas
