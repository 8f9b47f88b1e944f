"""The tool that ends a call, as a model of any quality calls it."""

from typing import Any, cast

import pytest

from agent.manners.end_call import LONGEST_GOODBYE, end_call_tool


async def hung_up(arguments: dict[str, Any], said: str = "") -> tuple[str, str]:
    """The reason and the goodbye."""
    calls: list[tuple[str, str]] = []
    tool = end_call_tool(lambda reason, goodbye: calls.append((reason, goodbye)), lambda: said, lambda: "Bye!")
    result = await tool(arguments, cast(Any, None))
    assert not result.reply_required
    (call,) = calls
    return call


@pytest.mark.parametrize(
    ("arguments", "said", "expected"),
    [
        ({"reason": "goodbye", "goodbye": "See you, Ana!"}, "", ("agent: goodbye", "See you, Ana!")),
        ({"reason": "done"}, "", ("agent: done", "Bye!")),
        ({"reason": "done"}, "Goodbye Ana.", ("agent: done", "")),
        ({"reason": "Ana wants 12 roses"}, "", ("agent: other", "Bye!")),
        ({}, "", ("agent: other", "Bye!")),
        ({"reason": ["done"], "goodbye": 7}, "", ("agent: other", "Bye!")),
        ({"reason": "abuse", "goodbye": "  a\n b "}, "", ("agent: abuse", "a b")),
    ],
)
async def test_reason_and_goodbye(arguments: dict[str, Any], said: str, expected: tuple[str, str]) -> None:
    """A goodbye is said once; the reason is never words of the conversation, since it stands in the log."""
    assert await hung_up(arguments, said) == expected


async def test_a_goodbye_is_short() -> None:
    """A model that does not stop would keep the call open."""
    assert len((await hung_up({"reason": "done", "goodbye": "bye " * 500}))[1]) == LONGEST_GOODBYE
