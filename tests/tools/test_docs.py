"""docs/tools.md holds: its example can be used, its tables are complete, and each claim has its test."""

import re

import pytest
import yaml
from pydantic import BaseModel

from agent.tools.spec import McpServerSpec, ToolSpec, ToolSpecs
from tests.support.stack import ROOT

TEXT = (ROOT / "docs" / "tools.md").read_text()


def section(title: str) -> str:
    """What stands under a heading."""
    return TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_example_can_be_used() -> None:
    """As it stands there, after copying it into a profile."""
    example = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    specs = ToolSpecs.model_validate(yaml.safe_load(example[1]))
    assert [tool.name for tool in specs.tools] == ["get_opening_hours", "book_table"]
    assert [server.name for server in specs.mcp] == ["files", "calendar"]


@pytest.mark.parametrize(
    ("title", "model"), [("Every key of a tool", ToolSpec), ("Every key of a server", McpServerSpec)]
)
def test_every_key_is_explained(title: str, model: type[BaseModel]) -> None:
    """None is missing, and none is there that does not exist."""
    keys = [
        key for row in re.findall(r"^\| (`.*?) \|", section(title), re.MULTILINE) for key in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(keys) == sorted(model.model_fields)


def test_each_claim_has_its_test() -> None:
    """Every row names tests that exist."""
    exist = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    rows = [row for row in section("What is guaranteed").splitlines() if row.startswith("| ") and "|---" not in row][1:]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row.rsplit("|", 2)[1])
        assert named, row
        for name in named:
            assert f"def {name}(" in exist, name
