"""The tool with which the language model ends the call: it says goodbye, and hangs up when that was heard."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from livekit.agents import RunContext, function_tool, llm

NAME = "end_call"
LONGEST_GOODBYE = 300


class Reason(StrEnum):
    """Why the model ends a call: words that may stand in a log, whatever is talked about."""

    GOODBYE = "goodbye"
    DONE = "done"
    WRONG_NUMBER = "wrong_number"
    ABUSE = "abuse"
    OTHER = "other"


SCHEMA: Mapping[str, Any] = {
    "name": NAME,
    "description": "End the call. Only when the person has said goodbye or asks you to hang up, or when nothing is "
    "left to be said; never while a question of theirs is open. Say nothing else with it: `goodbye` is said for you, "
    "to its end, before the call ends.",
    "parameters": {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "enum": [reason.value for reason in Reason], "description": "Why."},
            "goodbye": {
                "type": "string",
                "description": "What you say last, one short sentence in the language of the conversation.",
            },
        },
        "required": ["reason"],
    },
}
ENDING = "The call ends when the goodbye was heard."

HangUp = Callable[[str, str], None]


def end_call_tool(hang_up: HangUp, said: Callable[[], str], usual: Callable[[], str]) -> llm.RawFunctionTool[..., Any]:
    """The tool.

    Args:
        hang_up: ends the call, for a reason, after a goodbye; an empty one was said already.
        said: what the reply under way has said beside the tool.
        usual: the goodbye of an agent that has none of its own.
    """

    async def end_call(raw_arguments: dict[str, Any], context: RunContext[None]) -> llm.ToolResult:
        goodbye = raw_arguments.get("goodbye")
        words = " ".join(goodbye.split())[:LONGEST_GOODBYE] if isinstance(goodbye, str) else ""
        if not words and not said().strip():
            words = usual()
        hang_up(f"agent: {_reason(raw_arguments.get('reason'))}", words)
        return llm.ToolResult(ENDING, reply_required=False)

    return function_tool(end_call, raw_schema=dict(SCHEMA))


def _reason(given: object) -> Reason:
    """A model may make one up, of the words of the person."""
    return Reason(given) if isinstance(given, str) and given in list(Reason) else Reason.OTHER
