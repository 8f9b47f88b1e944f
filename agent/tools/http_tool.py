"""A tool that is an HTTP request: sent to permitted hosts alone, within its time, its size and its right to repeat."""

import asyncio
import random
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

from agent.tools.arguments import ArgumentsError, validate
from agent.tools.failure import Status, ToolFailure
from agent.tools.guarded_connector import guarded_connector
from agent.tools.hosts import AddressRefused, allowed_hosts
from agent.tools.http_answer import Answer, AnswerTooLarge, AnswerUnreadable, read_answer
from agent.tools.http_request import REDIRECTS, HttpRequest, RedirectRefused, build_request, redirected
from agent.tools.oauth import TokenSource
from agent.tools.result import ToolResult
from agent.tools.secrets import ToolConfigError, redact, resolve
from agent.tools.spec import ToolSpec, hosts_of

MAX_REDIRECTS = 5
FIRST_DELAY_S = 0.3
# What a server says when it could not do it now; each may be asked again where repeating is allowed.
PASSING = frozenset({429, 502, 503, 504})
UNAUTHORIZED = 401
USER_AGENT = "voice-chat-agent"


class HttpTool:
    """One tool of one call; `aclose` ends its connections.

    Args:
        spec: the tool.
        environment: where its secrets are.
        tls: how certificates are checked.
        resolver: looks names up; by default the system does.

    Raises:
        ToolConfigError: a secret is not set; it is named.
    """

    def __init__(
        self,
        spec: ToolSpec,
        environment: Mapping[str, str],
        tls: ssl.SSLContext,
        resolver: AbstractResolver | None = None,
    ) -> None:
        where = f"tool {spec.name!r}"
        headers = {name: resolve(value, environment, f"{where}: header {name}") for name, value in spec.headers.items()}
        self._spec = spec
        self._headers = {name: value.text for name, value in headers.items()}
        self._secrets = frozenset(secret for value in headers.values() for secret in value.secrets)
        self._tokens = TokenSource(spec.auth, environment, where) if spec.auth is not None else None
        try:
            self._allowed = allowed_hosts(hosts_of(spec), spec.allow_hosts)
        except ValueError as error:
            raise ToolConfigError(f"{where}: allow_hosts: {error}") from None
        self._tls = tls
        self._resolver = resolver
        self._http: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """End the connections."""
        if self._http is not None:
            await self._http.close()

    async def run(self, arguments: Mapping[str, Any], idempotency_key: str) -> ToolResult:
        """Carry out one call.

        Raises:
            ToolFailure: it gave nothing; for a tool that writes, status UNKNOWN says that it may have taken effect.
        """
        try:
            validate(self._spec.parameters, arguments)
            request = build_request(self._spec, arguments, self._headers, idempotency_key)
        except ArgumentsError as error:
            raise ToolFailure(Status.INVALID, f"Nothing was sent: {error}") from None
        progress = _Progress()
        try:
            async with asyncio.timeout(self._spec.timeout_s):
                answer = await self._with_retries(request, progress)
        except TimeoutError:
            progress.gave_up()
            failure = ToolFailure(Status.TIMEOUT, f"There was no answer within {self._spec.timeout_s:g} seconds.")
            raise self._honest(failure, progress) from None
        except ToolFailure as failure:
            raise self._honest(failure, progress) from None
        return ToolResult(self._shown(answer.text), answer.size, http=answer.status, attempts=progress.attempts)

    def _honest(self, failure: ToolFailure, progress: "_Progress") -> ToolFailure:
        """A request of a writing tool that was sent and not answered may have taken effect."""
        if self._spec.is_writing and progress.unanswered:
            message = f"{failure.message} It is not known whether the request took effect."
            return ToolFailure(Status.UNKNOWN, message, http=failure.http)
        return ToolFailure(failure.status, failure.message, self._shown(failure.said), failure.http)

    def _shown(self, text: str) -> str:
        return redact(text, self._secrets | (self._tokens.secrets if self._tokens is not None else set()))

    async def _with_retries(self, request: HttpRequest, progress: "_Progress") -> Answer:
        left = self._spec.retries if self._spec.may_be_repeated else 0
        while True:
            progress.attempts += 1
            try:
                return _accepted(await self._authorized(request, progress))
            except ToolFailure as failure:
                passing = failure.http in PASSING or failure.status is Status.UNREACHABLE
                if not passing or left == 0:
                    raise
            left -= 1
            await asyncio.sleep(FIRST_DELAY_S * 2 ** (progress.attempts - 1) * random.uniform(0.5, 1.5))

    async def _authorized(self, request: HttpRequest, progress: "_Progress") -> Answer:
        """The request with its token; a token that is refused is fetched anew, once."""
        if self._tokens is None:
            return await self._follow(request, progress)
        header = await self._tokens.header(self._fetch_token)
        answer = await self._follow(request.with_private({"Authorization": header}), progress)
        if answer.status != UNAUTHORIZED:
            return answer
        header = await self._tokens.header(self._fetch_token, rejected=header)
        return await self._follow(request.with_private({"Authorization": header}), progress)

    async def _fetch_token(self, request: HttpRequest) -> Answer:
        """A request to the token's address; its answer is read, and a redirect is no answer."""
        answer = await self._exchange(request, _Progress())
        if isinstance(answer, HttpRequest):
            raise ToolFailure(Status.ERROR, "The tool could not sign in to its server.")
        return answer

    async def _follow(self, request: HttpRequest, progress: "_Progress") -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._exchange(request, progress)
            if isinstance(answer, Answer):
                return answer
            request = answer
        raise ToolFailure(Status.ERROR, f"The server redirected more than {MAX_REDIRECTS} times.")

    async def _exchange(self, request: HttpRequest, progress: "_Progress") -> Answer | HttpRequest:
        """One request and its answer, or the request that a redirect asks for."""
        if not self._allowed.permits_host(request.url.raw_host or ""):
            raise ToolFailure(Status.REFUSED, "The tool may not reach the host that its server redirected to.")
        try:
            answer = await self._send(request, progress)
        except AnswerTooLarge as error:
            message = f"The server answered (HTTP {error.status}), but with more than {self._spec.max_bytes} bytes."
            raise ToolFailure(Status.TOO_LARGE, message, http=error.status) from None
        except (RedirectRefused, AnswerUnreadable) as error:
            status = Status.REFUSED if isinstance(error, RedirectRefused) else Status.ERROR
            raise ToolFailure(status, f"The server answered, but {error}.") from None
        except aiohttp.ClientSSLError:
            raise ToolFailure(Status.UNREACHABLE, "No safe connection to the server can be made.") from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                raise ToolFailure(Status.REFUSED, f"Nothing was sent: {error.os_error}.") from None
            raise ToolFailure(Status.UNREACHABLE, "The server cannot be reached.") from None
        except (aiohttp.ClientError, OSError, ValueError):
            progress.gave_up()
            raise ToolFailure(Status.UNREACHABLE, "The server broke the connection off.") from None
        return answer

    async def _send(self, request: HttpRequest, progress: "_Progress") -> Answer | HttpRequest:
        async with self._session().request(
            request.method,
            request.url,
            headers={**request.headers, **request.private_headers},
            data=request.body,
            allow_redirects=False,
            trace_request_ctx=progress,
        ) as response:
            try:
                if response.status in REDIRECTS:
                    progress.sent = False
                    return redirected(request, response.status, response.headers.get("Location"))
                answer = await read_answer(response, self._spec.max_bytes)
                progress.sent = False
                return answer
            finally:
                if not response.content.at_eof():
                    response.close()  # what is left of it is not read

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=guarded_connector(self._allowed, self._tls, self._resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"User-Agent": USER_AGENT},
                trace_configs=[_watch_sending()],
            )
        return self._http


@dataclass(slots=True)
class _Progress:
    """How far a call has come.

    Attributes:
        attempts: how often it was tried.
        sent: a request is on its way and not answered.
        unanswered: there was one that will not be.
    """

    attempts: int = 0
    sent: bool = False
    unanswered: bool = False

    def gave_up(self) -> None:
        """Nobody waits for an answer any more."""
        self.unanswered |= self.sent
        self.sent = False


def _watch_sending() -> aiohttp.TraceConfig:
    async def note(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.sent = True

    watch = aiohttp.TraceConfig()
    watch.on_request_headers_sent.append(note)
    return watch


def _accepted(answer: Answer) -> Answer:
    if not 200 <= answer.status < 300:
        message = f"The server refused it with HTTP {answer.status}."
        raise ToolFailure(Status.ERROR, message, said=answer.text, http=answer.status)
    return answer
