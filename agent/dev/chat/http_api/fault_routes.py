"""Switching faults in a server of its own process; these routes exist only when it was started with CHAT_FAULTS=1."""

from aiohttp import web
from pydantic import ValidationError

from agent.dev.chat.faults import FaultPlan
from agent.dev.chat.http_api.errors import BadRequest
from agent.dev.chat.services import SERVICES

FAULTS_PATH = "/api/dev/faults"


async def faults_report(request: web.Request) -> web.Response:
    """`GET /api/dev/faults`: the plan, and how often each kind was caused since the server began."""
    faults = request.app[SERVICES].faults
    return web.json_response({"plan": faults.plan.model_dump(mode="json"), "caused": faults.caused})


async def switch_faults(request: web.Request) -> web.Response:
    """`PUT /api/dev/faults` with a `FaultPlan`; answers as `GET` does."""
    try:
        plan = FaultPlan.model_validate_json(await request.read())
    except ValidationError as error:
        raise BadRequest("; ".join(f"{_path(e['loc'])}: {e['msg']}" for e in error.errors())) from None
    request.app[SERVICES].faults.switch(plan)
    return await faults_report(request)


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "plan"
