"""docs/websocket-client.md names every option and return value of react-use-websocket 4, each with tests that exist."""

import ast
import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from agent.websocket import Heartbeat, Options, WebSocketClient

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "websocket-client.md").read_text()

# From src/lib/types.ts and src/index.ts of version 4.13.0: Options and HeartbeatOptions, WebSocketHook, the exports.
OPTIONS = [
    "url", "connect", "fromSocketIO", "queryParams", "protocols", "share", "onOpen", "onClose", "onMessage", "onError",
    "onReconnectStop", "shouldReconnect", "reconnectInterval", "reconnectAttempts", "filter", "retryOnError",
    "eventSourceOptions", "skipAssert", "heartbeat", "disableJson",
    "heartbeat.message", "heartbeat.returnMessage", "heartbeat.timeout", "heartbeat.interval",
]  # fmt: skip
RETURNED = [
    "sendMessage", "sendJsonMessage", "lastMessage", "lastJsonMessage", "readyState", "getWebSocket",
    "ReadyState", "useSocketIO", "useEventSource", "resetGlobalState",
]  # fmt: skip
LEFT_OUT = {"fromSocketIO", "eventSourceOptions", "useSocketIO", "useEventSource"}


def rows(*columns: str) -> dict[str, list[str]]:
    """The rows of the table that begins with these columns, by their first name."""
    table = DOCUMENT.split("| " + " | ".join(columns), 1)[1].split("\n\n", 1)[0]
    lines = [line for line in table.splitlines()[2:] if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {re.findall(r"`([^`]+)`", row[0])[0] if "`" in row[0] else row[0]: row for row in cells}


def known_tests() -> set[str]:
    """The names of all tests of this folder."""
    trees = [ast.parse(path.read_text()) for path in Path(__file__).parent.glob("test_*.py")]
    functions = [
        node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {function.name for function in functions if function.name.startswith("test_")}


@pytest.mark.parametrize(
    ("names", "columns"), [(OPTIONS, ("Option (default)", "Ours (default)")), (RETURNED, ("Value", "Ours"))]
)
def test_every_option_and_return_value_has_a_row(names: list[str], columns: tuple[str, ...]) -> None:
    """Neither one too few nor one that the library does not have; four columns each."""
    table = rows(*columns)
    assert sorted(table) == sorted(names)
    assert {len(row) for row in table.values()} == {4}


def test_every_row_names_tests_that_exist() -> None:
    """Only what is left out on purpose has none, and the document says why."""
    known = known_tests()
    tables = [rows("Option (default)", "Ours (default)"), rows("Value", "Ours"), rows("Ours", "Why")]
    for name, row in [item for table in tables for item in table.items()]:
        named = re.findall(r"`(test_\w+)`", row[-1])
        assert set(named) <= known, name
        assert bool(named) != (name in LEFT_OUT), name
    reasons = DOCUMENT.split("## Not there, on purpose", 1)[1].split("\n## ", 1)[0]
    assert all(f"`{name}`" in reasons for name in LEFT_OUT)


def test_every_option_of_ours_is_in_the_document() -> None:
    """What the document does not name, nobody finds."""
    ours = [field.name for kind in (Options, Heartbeat) for field in fields(kind)]
    ours += [name for name in inspect.signature(WebSocketClient.__init__).parameters if name != "self"]
    ours += [name for name in vars(WebSocketClient) if not name.startswith("_")]
    missing = [name for name in ours if re.search(rf"\b{name}\b", DOCUMENT) is None]
    assert missing == []
