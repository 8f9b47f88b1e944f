"""LiveKit as the worker needs it: its API, and a registration as a worker that takes no calls."""

import secrets
from importlib.metadata import version

import aiohttp
from google.protobuf.message import DecodeError
from livekit import api
from livekit.protocol.agent import JobType, ServerMessage, WorkerMessage

from agent.check.causes import unreachable
from agent.check.findings import Probe, Wrong
from agent.check.local import START
from agent.settings import Settings
from agent.websocket import Address, ConnectError, HandshakeRefused, Options
from agent.websocket.address import redacted
from agent.websocket.transport import Link, LinkClosed, open_link

KEYS = "set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a pair of keys of this very server"
ADDRESS = "LIVEKIT_URL must be the address of a LiveKit server, such as wss://livekit.example.com"


class LiveKitChecks:
    """Looks at one LiveKit server.

    Args:
        settings: with its address and keys.
        is_local: whether it is the one of `make dev`.
        timeout: seconds that a request may take.
    """

    def __init__(self, settings: Settings, *, is_local: bool, timeout: float) -> None:
        self._settings = settings
        self._timeout = timeout
        self._is_local = is_local
        self._advice = f"{START}, or set LIVEKIT_URL" if is_local else "start it, or correct LIVEKIT_URL"

    def probes(self) -> list[Probe]:
        """What to look at."""
        where = redacted(self._settings.livekit_url)
        return [
            Probe("LiveKit", "API", where, self._api, self._advice),
            Probe("LiveKit", "worker", where, self._worker, self._advice),
        ]

    async def _api(self) -> str:
        """Ask for the rooms: a request that needs good keys and changes nothing."""
        key, secret = self._keys()
        timeout = aiohttp.ClientTimeout(total=self._timeout)
        async with api.LiveKitAPI(self._settings.livekit_url, key, secret, timeout=timeout, failover=False) as livekit:
            try:
                answer = await livekit.room.list_rooms(api.ListRoomsRequest())
            except api.TwirpError as error:
                raise _refused(error.status) from None
            except DecodeError:
                raise Wrong("answers, but not as a LiveKit server", ADDRESS) from None
            except aiohttp.ClientError as error:
                raise unreachable(error, self._advice, "LIVEKIT_URL") from None
        return f"the keys are good; {len(answer.rooms)} rooms are open"

    async def _worker(self) -> str:
        """Register under a name that nobody dispatches to."""
        key, secret = self._keys()
        token = api.AccessToken(key, secret).with_grants(api.VideoGrants(agent=True)).to_jwt()
        url = self._settings.livekit_url.replace("http", "ws", 1).rstrip("/") + "/agent"
        try:
            link = await open_link(
                Address(url, headers={"Authorization": f"Bearer {token}"}), Options(open_timeout=self._timeout)
            )
        except HandshakeRefused as error:
            raise _refused(error.status) from None
        except ConnectError as error:
            raise unreachable(error, self._advice, "LIVEKIT_URL") from None
        try:
            return await _register(link)
        except (LinkClosed, DecodeError):
            raise Wrong("takes the connection of a worker, and no registration", ADDRESS) from None
        finally:
            link.abort()

    def _keys(self) -> tuple[str, str]:
        key, secret = self._settings.livekit_api_key, self._settings.livekit_api_secret.get_secret_value()
        if not key or not secret:
            if self._is_local:
                raise Wrong("`make dev` has never run here: there are no keys", self._advice)
            raise Wrong("there are no keys to it", KEYS)
        return key, secret


async def _register(link: Link) -> str:
    request = WorkerMessage()
    request.register.type = JobType.JT_ROOM
    request.register.agent_name = f"check-{secrets.token_hex(8)}"
    request.register.version = version("livekit-agents")
    await link.send(request.SerializeToString())
    answer = ServerMessage()
    raw = await link.receive()
    answer.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
    if not answer.HasField("register"):
        raise DecodeError
    return f"takes workers; livekit-server {answer.register.server_info.version}"


def _refused(status: int) -> Wrong:
    if status in (401, 403):
        return Wrong(f"the keys are refused ({status})", KEYS)
    if status == 404 or status < 400:
        return Wrong(f"answers, but not as a LiveKit server ({status})", ADDRESS)
    return Wrong(f"answers {status}", "look into the log of the LiveKit server")
