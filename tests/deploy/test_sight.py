"""The dashboard, the alert rules and docs/operations.md speak of metrics and log events that there are."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from agent.metrics.catalogue import GAUGES, INSTRUMENTS
from tests.deploy.files import DEPLOY, METRIC, ROOT, documents, labels_of, series

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
# Their messages are for developers at their own machine.
NOT_IN_PRODUCTION = {"dev", "replay", "check"}
LEVELS = {"info", "warning", "error", "critical", "exception"}
SELECTOR = re.compile(r"(voice_agent_[a-z_]+)\{([^}]*)\}")
EQUALS = re.compile(r'(\w+)(=~?)"([^"]*)"')
# Prometheus' own, and Grafana's.
OTHER_LABELS = {"job", "instance", "le", "pod", "namespace"}


def dashboard() -> dict[str, Any]:
    made: dict[str, Any] = json.loads((DEPLOY / "grafana" / "voice-agent.json").read_text())
    return made


def rules() -> list[dict[str, Any]]:
    (file,) = documents("prometheus/alerts.yaml")
    return [rule for group in file["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    """All that Prometheus is asked."""
    asked = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    return [*asked, *(rule["expr"] for rule in rules())]


def logged() -> Iterator[tuple[str, str]]:
    """The file and the message of each log event, with … for what differs."""
    for file in sorted((ROOT / "agent").rglob("*.py")):
        if file.relative_to(ROOT / "agent").parts[0] in NOT_IN_PRODUCTION:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                owner = ast.unparse(node.func.value)
                if owner.endswith("logger") or owner.startswith("logging.getLogger"):
                    message = node.args[0]
                    assert isinstance(message, ast.Constant), f"{file}: a log message that is no plain text"
                    yield file.name, re.sub(r"%[a-z]", "…", str(message.value))


@pytest.mark.parametrize("expression", expressions())
def test_every_metric_that_is_asked_for_exists(expression: str) -> None:
    """A panel or a rule on a metric that nobody sends would be empty and calm for ever; so would a wrong label."""
    assert METRIC.findall(expression) or expression.startswith("up{")
    assert set(METRIC.findall(expression)) <= series()
    for name, selector in SELECTOR.findall(expression):
        for label, operator, value in EQUALS.findall(selector):
            if label not in OTHER_LABELS:
                wanted = value.split("|") if operator == "=~" else [value]
                assert set(wanted) <= set(labels_of(name)[label]), (name, label)


def test_every_metric_is_on_the_dashboard() -> None:
    """What is measured can be seen."""
    asked = " ".join(expressions())
    assert [m.name for m in (*INSTRUMENTS, *GAUGES) if m.name not in asked] == []


def test_the_dashboard_can_be_imported() -> None:
    """Panels have ids of their own, a place, a unit, and the data source that is chosen on top."""
    board = dashboard()
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert panel["fieldConfig"]["defaults"]["unit"]
    assert {variable["name"] for variable in board["templating"]["list"]} == {"datasource", "worker"}


def test_every_alert_says_how_bad_it_is_and_is_explained() -> None:
    """Whoever is woken finds what it means and what to do."""
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].endswith(".")
    assert [name for name in names if f"`{name}`" not in OPERATIONS] == []


def test_every_metric_is_explained() -> None:
    """In docs/operations.md."""
    assert [m.name for m in (*INSTRUMENTS, *GAUGES) if f"`{m.name}`" not in OPERATIONS] == []
    assert {name for name in METRIC.findall(OPERATIONS) if name not in series()} <= {i.name for i in INSTRUMENTS}


def test_every_log_event_is_explained() -> None:
    """Each message of the worker stands in docs/operations.md, in the words in which it is logged."""
    missing = {(file, event) for file, event in logged() if f"`{event}`" not in OPERATIONS}
    assert missing == set(), "add them to docs/operations.md"
