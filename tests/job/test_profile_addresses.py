"""Profiles from a server: the token, what is kept, and each way in which a server can be wrong."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from agent.job import ProfileError, ProfileNotFound
from agent.job import profile_source as source
from agent.job.profile_source import FolderProfiles, UrlProfiles, profile_source
from agent.job.profile_yaml import MAX_PROFILE_BYTES
from agent.settings import SettingsError, load_settings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PROFILE = "agent:\n  name: Robin\n"


@asynccontextmanager
async def server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Answers every request; gives its address."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def answering(text: str = PROFILE, status: int = 200, headers: dict[str, str] | None = None) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=text, status=status, headers=headers)

    return answer


async def test_the_token_and_the_name_are_sent(tmp_path: Path) -> None:
    """The name stands where the address says, else as a file below it."""
    asked: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.path_qs, request.headers.get("Authorization", "")))
        return web.Response(text=PROFILE)

    async with server(answer) as url:
        profile = await UrlProfiles(url + "/profiles/", SecretStr("hunter2"), tmp_path / "a").load("shop")
        await UrlProfiles(url + "/agents?id={name}&v=3", SecretStr(""), tmp_path / "b").load("shop")
    assert profile.agent.name == "Robin"
    assert asked == [("/profiles/shop.yaml", "Bearer hunter2"), ("/agents?id=shop&v=3", "")]


async def test_a_profile_is_kept_for_a_minute_for_all_processes(tmp_path: Path) -> None:
    """The job's process gets what the worker got; after a minute it is asked for again."""
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text=PROFILE)

    async with server(answer) as url:
        await UrlProfiles(url, SecretStr(""), tmp_path).load("shop")
        begun = next(tmp_path.iterdir()).stat().st_mtime
        for later, times in ((0.0, 1), (59.0, 1), (61.0, 2)):
            await UrlProfiles(url, SecretStr(""), tmp_path, now=partial(float, begun + later)).load("shop")
            assert len(asked) == times
        await UrlProfiles(url, SecretStr(""), tmp_path).load("other")
    assert asked == ["/shop.yaml", "/shop.yaml", "/other.yaml"]
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


async def test_a_folder_that_cannot_be_written_only_costs_the_keeping(tmp_path: Path) -> None:
    """The profile is had all the same."""
    (tmp_path / "file").write_text("")
    async with server(answering()) as url:
        assert (await UrlProfiles(url, SecretStr(""), tmp_path / "file" / "x").load("shop")).agent.name == "Robin"


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (answering(status=401), "answered 401: check PROFILES_TOKEN"),
        (answering(status=403), "answered 403: check PROFILES_TOKEN"),
        (answering(status=500), "answered 500"),
        (
            answering(status=302, headers={"Location": "http://127.0.0.1:9/"}),
            "answered 302: redirects are not followed",
        ),
        (answering("<html>", headers={"Content-Type": "text/html"}), "answered with a web page"),
        (answering("x" * (MAX_PROFILE_BYTES + 1)), "is larger than"),
        (answering("agent:\n  nmae: x\n"), "line 2: unknown key 'agent.nmae'"),
    ],
)
async def test_a_wrong_answer_is_a_clear_error(tmp_path: Path, handler: Handler, said: str) -> None:
    """It names the address without its query, says what was wrong, and is not kept."""
    async with server(handler) as url:
        with pytest.raises(ProfileError) as refusal:
            await UrlProfiles(url + "/{name}?key=hunter2", SecretStr("hunter2"), tmp_path).load("shop")
    assert said in str(refusal.value)
    assert f"{url}/shop" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


async def test_a_profile_that_the_server_does_not_have_is_not_found(tmp_path: Path) -> None:
    """As one that is not in a folder."""
    async with server(answering(status=404)) as url:
        with pytest.raises(ProfileNotFound):
            await UrlProfiles(url, SecretStr(""), tmp_path).load("shop")


async def test_text_that_is_not_utf_8_is_a_clear_error(tmp_path: Path) -> None:
    """From a server and from a file."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=b"agent: \xff")

    (tmp_path / "shop.yaml").write_bytes(b"agent: \xff")
    async with server(answer) as url:
        for profiles in (UrlProfiles(url, SecretStr(""), tmp_path / "kept"), FolderProfiles(tmp_path)):
            with pytest.raises(ProfileError, match="is not UTF-8 text"):
                await profiles.load("shop")


async def test_a_server_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its answer, and in the middle of it."""
    monkeypatch.setattr(source, "FETCH_TIMEOUT_S", 0.3)
    over = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if "half" in request.path:
            await response.prepare(request)
            await response.write(b"agent:\n")
        await over.wait()
        return response

    async with server(hang) as url, AsyncExitStack() as exits:
        exits.callback(over.set)
        for name in ("whole", "half"):
            with pytest.raises(ProfileError, match="did not answer within"):
                await UrlProfiles(url, SecretStr(""), tmp_path).load(name)


async def test_a_server_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    """A closed port."""
    async with server(answering()) as url:
        pass
    with pytest.raises(ProfileError, match="cannot be reached"):
        await UrlProfiles(url, SecretStr(""), tmp_path).load("shop")


async def test_a_certificate_must_be_trusted(tmp_path: Path) -> None:
    """One that nobody signed is refused before the token is sent; with its authority known, it is well."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*make.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    async with server(answering(), tls) as url:
        with pytest.raises(ProfileError, match="certificate is not trusted"):
            await UrlProfiles(url, SecretStr("t"), tmp_path / "kept").load("shop")
        trusting = ssl.create_default_context(cafile=str(certificate))
        profiles = UrlProfiles(url, SecretStr("t"), tmp_path / "kept", tls=trusting)
        assert (await profiles.load("shop")).agent.name == "Robin"


@pytest.mark.parametrize("address", ["http://config.example.com/p", "https://user:hunter2@config.example.com/p"])
def test_an_address_that_would_show_a_secret_is_refused(address: str) -> None:
    """The settings name the variable, and not its value."""
    with pytest.raises(SettingsError, match="PROFILES") as refusal:
        load_settings({"PROFILES": address}, None)
    assert "hunter2" not in str(refusal.value)


def test_the_settings_say_where_profiles_are() -> None:
    """A folder beside the worker, unless they name another place."""
    assert isinstance(profile_source(load_settings({}, None)), FolderProfiles)
    assert isinstance(profile_source(load_settings({"PROFILES": "https://h/{name}"}, None)), UrlProfiles)
