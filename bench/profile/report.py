"""The results for people."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from bench.density.summary import CONTENDERS


def stage_table(found: Mapping[str, Any]) -> Table:
    """Cores that a call takes by stage, those that take most first."""
    made = _table("What a call's CPU goes into, in thousandths of a core (callbacks a second)", found)
    for stage in in_order(found):
        made.add_row(stage, *(_cost(found[who]["stages"].get(stage)) for who in CONTENDERS))
    made.add_section()
    made.add_row("in all", *(f"{found[who]['cpu_per_call'] * 1000:.1f}" for who in CONTENDERS))
    made.add_row("the worker without calls", *(f"{found[who]['idle_cores'] * 1000:.1f}" for who in CONTENDERS))
    return made


def memory_table(found: Mapping[str, Any]) -> Table:
    """What a call adds to the memory, by kind."""
    made = _table(
        "What a call adds to the memory, in MB (PSS): what is a process's alone + its share of the rest", found
    )
    kinds = dict.fromkeys(kind for who in CONTENDERS for kind in found[who]["memory"])
    for kind in kinds:
        made.add_row(kind, *(_parts(found[who]["memory"].get(kind)) for who in CONTENDERS))
    made.add_section()
    made.add_row("in all", *(f"{found[who]['pss_mb_per_call']:.1f}" for who in CONTENDERS))
    made.add_row("the worker without calls", *(f"{found[who]['idle_pss_mb']:.0f}" for who in CONTENDERS))
    return made


def in_order(found: Mapping[str, Any]) -> list[str]:
    """The stages of both, by what they take together."""
    sums: dict[str, float] = {}
    for who in CONTENDERS:
        for stage, cost in found[who]["stages"].items():
            sums[stage] = sums.get(stage, 0.0) + cost["cores"]
    return sorted(sums, key=lambda stage: -sums[stage])


def _table(title: str, found: Mapping[str, Any]) -> Table:
    made = Table(title=title, caption=f"{found['calls']} calls, {found['seconds']:.0f} s")
    for name in ("", *CONTENDERS):
        made.add_column(name, justify="right" if name else "left")
    return made


def _cost(cost: Mapping[str, float] | None) -> str:
    if cost is None:
        return "–"
    times = f" ({cost['times']:.0f})" if cost["times"] else ""
    return f"{cost['cores'] * 1000:.1f}{times}"


def _parts(part: Mapping[str, float] | None) -> str:
    return "–" if part is None else f"{part['private']:.1f} {part['shared']:+.1f}"
