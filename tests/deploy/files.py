"""The files of deploy/, parsed, and what the worker's own sources say of the same things."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import AliasChoices

from agent.metrics.catalogue import GAUGES, INSTRUMENTS
from agent.metrics.instrument import Histogram
from agent.settings import PROVIDER_KEY, Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\bvoice_agent_[a-z_]+\b")
# Set by trial_env for others than our own processes.
FOREIGN = frozenset({"LIVEKIT_KEYS", "LIVEKIT_CONFIG"})


def documents(path: str) -> list[dict[str, Any]]:
    """The documents of a YAML file under deploy/."""
    return [document for document in yaml.safe_load_all((DEPLOY / path).read_text()) if document is not None]


def texts(value: object) -> Iterator[str]:
    """Every text inside a parsed file."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield str(key)
            yield from texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts(member)
    else:
        yield str(value)


def is_setting(name: str) -> bool:
    """Whether the worker reads a variable."""
    known: set[str] = set()
    for info in Settings.model_fields.values():
        alias = info.validation_alias
        known |= {str(choice) for choice in alias.choices} if isinstance(alias, AliasChoices) else {str(alias)}
    return name in known or PROVIDER_KEY.match(name) is not None


def series() -> set[str]:
    """The names under which Prometheus knows our metrics."""
    names = {gauge.name for gauge in GAUGES}
    for instrument in INSTRUMENTS:
        if isinstance(instrument, Histogram):
            names |= {f"{instrument.name}_{part}" for part in ("bucket", "count", "sum")}
        else:
            names.add(instrument.name)
    return names


def labels_of(series_name: str) -> dict[str, tuple[str, ...]]:
    """The labels of ours that a series has, with their values."""
    for instrument in INSTRUMENTS:
        if series_name.startswith(instrument.name):
            return dict(instrument.labels)
    return {}
