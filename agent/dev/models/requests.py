"""Reading requests at the border: size limits, a time-out, JSON and types."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from agent.dev.models.errors import ApiError

MAX_JSON_BYTES = 2 * 1024 * 1024
BODY_TIMEOUT_S = 30.0

Body = TypeVar("Body", bound=BaseModel)


def too_large(limit_bytes: int) -> ApiError:
    """The error for a body or file beyond its limit."""
    return ApiError(
        f"The request is larger than {limit_bytes // 1024} KiB.",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        code="request_too_large",
    )


@asynccontextmanager
async def body_timeout() -> AsyncIterator[None]:
    """Within it a body must arrive; raises ApiError (408) when it does not."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            yield
    except TimeoutError:
        raise ApiError(
            f"The body did not arrive within {BODY_TIMEOUT_S:g} s.",
            status=HTTPStatus.REQUEST_TIMEOUT,
            code="request_timeout",
        ) from None


def invalid_value(error: ValidationError) -> ApiError:
    """The error for the first member that is missing or wrong."""
    first = error.errors(include_input=False, include_url=False)[0]
    param = ".".join(str(part) for part in first["loc"]) or None
    message = first["msg"].removeprefix("Value error, ")
    return ApiError(f"{param or 'body'}: {message}", param=param, code="invalid_value")


async def read_json(request: web.Request, model: type[Body]) -> Body:
    """Parse a JSON body; raises ApiError naming the member that is missing or wrong."""
    async with body_timeout():
        raw = await _read(request, MAX_JSON_BYTES)
    try:
        data = json.loads(raw.decode())
        # A lone surrogate is legal as an escape in JSON, but no text: this raises for it.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ApiError("The body is not valid JSON in UTF-8.", code="invalid_json") from None
    if not isinstance(data, dict):
        raise ApiError("The body must be a JSON object.", code="invalid_json")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise invalid_value(error) from None


async def _read(request: web.Request, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    parts = bytearray()
    async for chunk in request.content.iter_any():
        parts += chunk
        if len(parts) > limit:
            raise too_large(limit)
    return bytes(parts)
