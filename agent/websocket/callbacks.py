"""Calls a user's function so that its errors stay its own."""

import inspect
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, ParamSpec, TypeVar

logger = logging.getLogger("agent.websocket.callbacks")

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What a call gave; `value` is None unless it worked."""

    worked: bool
    value: Result | None = None


def call(
    name: str, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Outcome[Result]:
    """Call a user's function. An error ends nothing: it is logged by its type and place, without its words, which
    could quote a message. A coroutine is refused in the same way, since nobody would wait for it.
    """
    try:
        value = function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever a callback raises must not end the connection
        logger.error("websocket: %s failed (%s in %s)", name, type(error).__name__, _place(error))
        return Outcome(worked=False)
    if inspect.iscoroutine(value):
        value.close()
        logger.error("websocket: %s must be a plain function, not a coroutine function", name)
        return Outcome(worked=False)
    return Outcome(worked=True, value=value)


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"
