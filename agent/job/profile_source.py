"""Where profiles come from: a folder of YAML files, or an address that answers with one (`PROFILES`)."""

import asyncio
import contextlib
import hashlib
import ssl
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import aiohttp
from pydantic import SecretStr

from agent.job.problems import ProfileError, ProfileNotFound
from agent.job.profile_yaml import MAX_PROFILE_BYTES, parse_profile
from agent.job.reading import Profiles
from agent.job.spec import Profile
from agent.settings import Settings
from agent.websocket.address import redacted

SUFFIX = ".yaml"
NAME_IN_URL = "{name}"
# LiveKit waits for the worker's answer to a job meanwhile.
FETCH_TIMEOUT_S = 3.0
# The worker asks when it takes a job, the job's process again when the call begins: both get the same text.
FRESH_S = 60.0


class ProfileSource(Profiles, Protocol):
    """Finds profiles by name."""

    def names(self) -> list[str]:
        """The profiles that are known to be there, in order; none where only asking by name is possible."""


def profile_source(settings: Settings) -> ProfileSource:
    """The source that `PROFILES` names."""
    if settings.profiles.startswith(("http://", "https://")):
        return UrlProfiles(settings.profiles, settings.profiles_token, settings.data_dir / "profiles")
    return FolderProfiles(Path(settings.profiles))


class FolderProfiles:
    """Profiles in files of a folder, read anew each time.

    Args:
        folder: it need not be there while no profile is asked for.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def load(self, name: str) -> Profile:
        """See `ProfileSource`."""
        return await asyncio.to_thread(self._load, name)

    def names(self) -> list[str]:
        """See `ProfileSource`."""
        return sorted(path.stem for path in self._folder.glob(f"*{SUFFIX}"))

    def _load(self, name: str) -> Profile:
        path = self._folder / f"{name}{SUFFIX}"
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_PROFILE_BYTES + 1)
        except FileNotFoundError:
            there = ", ".join(self.names()) or "none"
            raise ProfileNotFound(f"there is no such profile in {self._folder} (there are: {there})") from None
        except OSError as error:
            raise ProfileError(f"{path} cannot be read ({error.strerror})") from None
        return _parse(raw, str(path))


class UrlProfiles:
    """Profiles from a server, kept for a minute where the worker and its job processes both find them.

    Args:
        url: `{name}` in it stands for the profile's name; without it, `/NAME.yaml` is added.
        token: sent as `Authorization: Bearer`, if it is not empty.
        kept_in: a folder for what was fetched.
        tls: whom to trust; None: whom the system trusts.
        now: seconds, as the file system has them.
    """

    def __init__(
        self,
        url: str,
        token: SecretStr,
        kept_in: Path,
        *,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url if NAME_IN_URL in url else f"{url.rstrip('/')}/{NAME_IN_URL}{SUFFIX}"
        self._token = token
        self._kept_in = kept_in
        self._tls = tls
        self._now = now

    async def load(self, name: str) -> Profile:
        """See `ProfileSource`."""
        url = self._url.replace(NAME_IN_URL, name)
        where = redacted(url)
        kept = self._kept_in / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}{SUFFIX}"
        raw = await asyncio.to_thread(self._fresh, kept)
        if raw is not None:
            return await asyncio.to_thread(_parse, raw, where)
        raw = await self._fetch(url, where)
        profile = await asyncio.to_thread(_parse, raw, where)
        await asyncio.to_thread(_keep, kept, raw)
        return profile

    def names(self) -> list[str]:
        """See `ProfileSource`."""
        return []

    def _fresh(self, kept: Path) -> bytes | None:
        try:
            age = self._now() - kept.stat().st_mtime
            return kept.read_bytes() if 0 <= age < FRESH_S else None
        except OSError:
            return None

    async def _fetch(self, url: str, where: str) -> bytes:
        secret = self._token.get_secret_value()
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        tls = self._tls if self._tls is not None else await asyncio.to_thread(ssl.create_default_context)
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)) as http,
                # A redirect could carry the token elsewhere.
                http.get(url, headers=headers, ssl=tls, allow_redirects=False) as response,
            ):
                _check_answer(response, where)
                return await _read(response, where)
        except TimeoutError:
            raise ProfileError(f"{where} did not answer within {FETCH_TIMEOUT_S:g} s") from None
        except aiohttp.ClientConnectorCertificateError:
            raise ProfileError(f"{where}: the server's certificate is not trusted") from None
        except aiohttp.ClientError as error:
            raise ProfileError(f"{where} cannot be reached ({type(error).__name__})") from None


def _check_answer(response: aiohttp.ClientResponse, where: str) -> None:
    match response.status:
        case 200 if response.content_type == "text/html":
            raise ProfileError(f"{where} answered with a web page, not with a profile: check PROFILES")
        case 200:
            return
        case 404:
            raise ProfileNotFound(f"{where} answered 404: there is no such profile")
        case 401 | 403:
            raise ProfileError(f"{where} answered {response.status}: check PROFILES_TOKEN")
        case status if 300 <= status < 400:
            raise ProfileError(f"{where} answered {status}: redirects are not followed, name the final address")
        case status:
            raise ProfileError(f"{where} answered {status}")


async def _read(response: aiohttp.ClientResponse, where: str) -> bytes:
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > MAX_PROFILE_BYTES:
            raise _too_large(where)
    return bytes(raw)


def _parse(raw: bytes, where: str) -> Profile:
    if len(raw) > MAX_PROFILE_BYTES:
        raise _too_large(where)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ProfileError(f"{where} is not UTF-8 text") from None
    return parse_profile(text, where)


def _too_large(where: str) -> ProfileError:
    return ProfileError(f"{where} is larger than {MAX_PROFILE_BYTES} bytes")


def _keep(path: Path, raw: bytes) -> None:
    """Keep what was fetched, for this user's eyes only; where that is not possible it is fetched again."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with open(handle, "wb") as file:
            file.write(raw)
        Path(temporary).replace(path)
