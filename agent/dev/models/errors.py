"""Errors in the shape of the OpenAI API: `{"error": {"message", "type", "param", "code"}}`."""

import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from aiohttp.http import HttpProcessingError

logger = logging.getLogger("agent.dev.models")

CLIENT_LEFT = 499  # as nginx names it; no client ever gets it
RESPONSE_BEGUN = web.RequestKey("response_begun", bool)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


# Not frozen: contextlib sets __traceback__ on exceptions that pass through it.
@dataclass(eq=False)
class ApiError(Exception):
    """A request that cannot be served.

    Args:
        message: what is wrong and what would be right; shown to the caller.
        status: the HTTP status.
        param: the member of the request that is wrong, if one is.
        code: a stable word for programs.
        retry_after: seconds after which another try makes sense, if it does.
    """

    message: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    param: str | None = None
    code: str | None = None
    retry_after: int | None = None

    @property
    def type(self) -> str:
        """The class of error as OpenAI names it."""
        if self.status is HTTPStatus.TOO_MANY_REQUESTS:
            return "rate_limit_error"
        return "server_error" if self.status >= 500 else "invalid_request_error"

    def body(self) -> dict[str, dict[str, str | None]]:
        """The JSON body."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def response(self) -> web.Response:
        """The HTTP response."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return web.json_response(self.body(), status=self.status, headers=headers)


def unknown_model(model: str, available: str) -> ApiError:
    """The error for a model that this server, or this endpoint, does not have (404, as at OpenAI)."""
    return ApiError(
        f"The model {model[:100]!r} does not exist here; this endpoint has {available!r}.",
        status=HTTPStatus.NOT_FOUND,
        param="model",
        code="model_not_found",
    )


async def note_response(request: web.Request, response: web.StreamResponse) -> None:
    """The headers are going out (a signal of aiohttp): from then on no error can be answered.

    Each has an id, as at OpenAI: clients name it when something went wrong.
    """
    request[RESPONSE_BEGUN] = True
    response.headers["x-request-id"] = f"req_{secrets.token_hex(12)}"


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into the OpenAI shape; log it without the request's content."""
    try:
        return await handler(request)
    except ApiError as error:
        return _refuse(request, error)
    except (HttpProcessingError, web.RequestPayloadError):
        return _refuse(request, ApiError("The body of the request is damaged.", code="invalid_body"))
    except web.HTTPException as error:
        status = HTTPStatus(error.status)
        response = _refuse(request, ApiError(f"{status.phrase}: {request.method} {request.path[:100]}", status=status))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except ConnectionError:
        logger.debug("client left", extra={"path": _route(request)})
        return _answer_to_nobody()
    except Exception as error:  # noqa: BLE001  # it is logged, but for its own text, which may hold what was said
        where = "".join(traceback.format_tb(error.__traceback__)).rstrip()
        logger.error("request failed\n%s", where, extra={"path": _route(request), "error": type(error).__name__})
        if RESPONSE_BEGUN not in request:
            return ApiError("The server failed; its log says why.", status=HTTPStatus.INTERNAL_SERVER_ERROR).response()
        # Only a connection that breaks tells the client that the answer is not whole.
        if request.transport is not None:
            request.transport.abort()
        return _answer_to_nobody()


def _refuse(request: web.Request, error: ApiError) -> web.Response:
    # The message may quote the caller's words (a voice, a model); the log gets the code alone.
    level = logging.DEBUG if error.status is HTTPStatus.SERVICE_UNAVAILABLE else logging.INFO
    fields = {"path": _route(request), "status": int(error.status), "code": error.code}
    logger.log(level, "request refused", extra=fields)
    return error.response()


def _answer_to_nobody() -> web.Response:
    """What a handler returns when the connection is gone: aiohttp would log an error that it raised."""
    return web.Response(status=CLIENT_LEFT)


def _route(request: web.Request) -> str:
    """The path as the server knows it: one that it does not know may hold anything."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"
