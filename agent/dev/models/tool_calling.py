"""When the responder calls a tool, with which arguments, and how it says what came back."""

import json
import re
from collections.abc import Sequence

from agent.dev.models.dialogue import Message, Reply, Role, Tool, plain
from agent.tools.untrusted import unwrap

# Words of a function's name that people leave out when they ask for it: "get_weather" is "the weather".
_LEFT_OUT = frozenset(
    ("get", "fetch", "show", "find", "lookup", "look", "up", "the", "a", "an", "tool", "current", "do")
)
_WORD_IN_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_AFTER_PREPOSITION = re.compile(
    r"\b(?:in|for|about|of|at|to|on|named|called|with)\s+(?:the\s+)?([^?.!,;]+)", re.IGNORECASE
)
# Longer ones are no numbers that anybody counts with, and would not fit into a float.
_NUMBER = re.compile(r"(?<!\d)-?\d{1,15}(?:\.\d{1,15})?(?!\d)")
_NUMBER_WORDS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
MAX_RESULT_CHARACTERS = 400


def tool_asked_for(text: str, tools: Sequence[Tool]) -> Tool | None:
    """The first tool whose name's words all occur in what the user said."""
    said = {_stem(word) for word in plain(text).split()}
    for tool in tools:
        wanted = {_stem(word) for word in name_words(tool.name)} - _LEFT_OUT
        if wanted and wanted <= said:
            return tool
    return None


def call(tool: Tool, text: str) -> Reply:
    """The call of a tool with what the user's words hold for its arguments: numbers, and what follows "in", "for"…

    A required string that is not found gets all that the user said; a number that is not found is left out.
    """
    arguments: dict[str, str | int | float] = {}
    for parameter in tool.parameters:
        if parameter.type in ("integer", "number"):
            number = _find_number(text)
            if number is not None:
                arguments[parameter.name] = int(number) if parameter.type == "integer" else number
        elif parameter.type == "string":
            match = _AFTER_PREPOSITION.search(text)
            if match:
                arguments[parameter.name] = match[1].strip()
            elif parameter.required:
                arguments[parameter.name] = text
    return Reply(tool=tool.name, arguments=json.dumps(arguments, ensure_ascii=False))


def report(messages: Sequence[Message]) -> str:
    """What the tools at the end of the conversation gave back, in words."""
    names = {c.id: c.name for m in messages for c in m.tool_calls}
    first = len(messages)
    while first and messages[first - 1].role is Role.TOOL:
        first -= 1
    return " ".join(_say_result(names.get(m.tool_call_id, ""), m.text) for m in messages[first:])


def name_words(name: str) -> list[str]:
    """The words of a function's name: `rollDice` and `roll_dice` are "roll dice"."""
    return [word.lower() for word in _WORD_IN_NAME.findall(name)]


def _say_result(name: str, text: str) -> str:
    called = " ".join(name_words(name)) or "the tool"
    result = _speakable(unwrap(text))[:MAX_RESULT_CHARACTERS].rstrip(" .")
    return f"The result of {called} is: {result}." if result else f"I called {called}; it gave nothing back."


def _speakable(text: str) -> str:
    try:
        data = json.loads(text)
        if isinstance(data, dict):
            return ", ".join(f"{' '.join(name_words(key)) or key} {value}" for key, value in data.items())
        return ", ".join(map(str, data)) if isinstance(data, list) else str(data)
    except (ValueError, RecursionError):  # words, or JSON that nobody wants to hear
        return " ".join(text.split())


def _find_number(text: str) -> float | None:
    if match := _NUMBER.search(text):
        return float(match[0])
    return next((float(_NUMBER_WORDS.index(w)) for w in plain(text).split() if w in _NUMBER_WORDS), None)


def _stem(word: str) -> str:
    return {"die": "dice"}.get(word, word[:-1] if len(word) > 3 and word.endswith("s") else word)
