"""The tool with which a language model pauses the recording while something private is said."""

from collections.abc import Mapping
from typing import Any

from agent.recording.call_recording import CallRecording
from agent.recording.spec import PAUSE_TOOL
from agent.tools.arguments import ArgumentsError, validate
from agent.tools.failure import Status, ToolFailure
from agent.tools.result import ToolResult
from agent.tools.runner import Tool

DESCRIPTION = (
    "This call is recorded. Call this with on=true before you ask for something private, such as a card number, a "
    "password or a diagnosis, and with on=false when it has been said: what is said in between is not recorded."
)
PARAMETERS = {
    "type": "object",
    "properties": {"on": {"type": "boolean", "description": "Whether something private is about to be said."}},
    "required": ["on"],
    "additionalProperties": False,
}
PAUSED = "The recording is paused. Ask now, and call this with on=false as soon as it has been said."
RESUMED = "The recording goes on."


class SensitiveInput:
    """One pause at a time: asked for twice, it ends with one `on=false`.

    Args:
        recording: what is paused.
    """

    def __init__(self, recording: CallRecording) -> None:
        self._recording = recording
        self._on = False

    @property
    def tool(self) -> Tool:
        """What the model can call."""
        return Tool(PAUSE_TOOL, DESCRIPTION, PARAMETERS, self._run, writes=False)

    async def _run(self, arguments: Mapping[str, Any], _: str) -> ToolResult:
        try:
            validate(PARAMETERS, arguments)
        except ArgumentsError as error:
            raise ToolFailure(Status.INVALID, str(error)) from None
        on: bool = arguments["on"]
        if on != self._on:
            self._on = on
            (self._recording.pause if on else self._recording.resume)(PAUSE_TOOL)
        told = PAUSED if on else RESUMED
        return ToolResult(told, len(told))
