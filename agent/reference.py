"""What is written down about the configuration, made from the code: JSON Schemas, and tables of Markdown."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.job.schema import Kind, json_schema
from agent.job.spec import CallSpec

ROOT = Path(__file__).parents[1]
PAGE = "docs/configuration.md"
SCHEMA_FILES: dict[Kind, str] = {"job": "docs/job.schema.json", "profile": "docs/profile.schema.json"}
ENV_EXAMPLE = ".env.example"

BLOCK = re.compile(r"(<!-- (?P<name>\w+): made by `python -m agent schema --write` -->\n).*?(<!-- end -->)", re.DOTALL)
SECTION = re.compile(r"# ── (?P<title>[^─]+) ─+")
SETTING = re.compile(r"# (?P<name>[A-Z][A-Z0-9_]*)=(?P<default>.*)")
LONGEST_DEFAULT = 60


def generated(root: Path = ROOT) -> dict[Path, str]:
    """The text of every file that is made from the code, or holds parts that are.

    Raises:
        ValueError: the page has no place for one of its tables.
    """
    files = {root / path: json.dumps(json_schema(kind), indent=2) + "\n" for kind, path in SCHEMA_FILES.items()}
    page = root / PAGE
    files[page] = _with_tables(page.read_text(encoding="utf-8"), (root / ENV_EXAMPLE).read_text(encoding="utf-8"))
    return files


def write(root: Path = ROOT) -> list[Path]:
    """Bring the files up to date; returns those that were not."""
    stale = [(path, text) for path, text in generated(root).items() if not path.exists() or path.read_text() != text]
    for path, text in stale:
        path.write_text(text, encoding="utf-8")
    return [path for path, _ in stale]


def _with_tables(page: str, env_example: str) -> str:
    job, profile = json_schema("job"), json_schema("profile")
    shared = set(CallSpec.model_fields)
    tables = {
        "dispatch": _table(row for row in _rows(job) if row.key.partition(".")[0] not in shared),
        "both": _table(row for row in _rows(profile) if row.key.partition(".")[0] in shared),
        "profile": _table(row for row in _rows(profile) if row.key.partition(".")[0] not in shared),
        "settings": _settings(env_example),
    }
    placed: set[str] = set()

    def place(block: re.Match[str]) -> str:
        placed.add(block["name"])
        return f"{block[1]}\n{tables[block['name']]}\n{block[3]}"

    page = BLOCK.sub(place, page)
    if missing := tables.keys() - placed:
        raise ValueError(f"{PAGE} has no place for: {', '.join(sorted(missing))}")
    return page


@dataclass(frozen=True, slots=True)
class _Row:
    """One key in a table."""

    key: str
    kind: str
    default: str
    meaning: str


def _rows(schema: dict[str, Any]) -> Iterator[_Row]:
    """The keys of a schema, those of objects with the names of these before them."""
    for name, found in schema["properties"].items():
        inner = found
        for alternative in found.get("anyOf", [found]):
            if "$ref" in alternative:
                inner = schema["$defs"][alternative["$ref"].rpartition("/")[2]]
        if "properties" in inner:
            or_name = any(alternative.get("type") == "string" for alternative in found.get("anyOf", []))
            kind = "object, or a profile's name" if or_name else "object"
            yield _Row(name, kind, "", inner["description"])
            yield from (
                _Row(f"{name}.{member}", _kind(of), _default(of), of["description"])
                for member, of in inner["properties"].items()
            )
        else:
            yield _Row(name, _kind(inner), _default(inner), inner["description"])


def _kind(of: dict[str, Any]) -> str:
    """What a value may be, in words."""
    match of:
        case {"enum": list(words)}:
            return " or ".join(f"`{word}`" for word in words)
        case {"type": "string", "format": "password"}:
            return "text, secret"
        case {"type": "string", "maxLength": int(longest)}:
            return f"text, at most {longest:,} characters"
        case {"type": "string"}:
            return "text"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"type": "array", "maxItems": int(most)}:
            items = "`provider/model`" if "pattern" in of["items"] else "objects" if "$ref" in of["items"] else "texts"
            return f"list of at most {most} {items}"
        case {"type": "object", "maxProperties": int(most)}:
            return f"object of at most {most} names and values"
        case {"type": "object"}:
            return "object"
        case {"type": "integer" | "number" as kind}:
            whole = "whole number" if kind == "integer" else "number"
            least = f"more than {of['exclusiveMinimum']:g}" if "exclusiveMinimum" in of else f"{of['minimum']:g}"
            return f"{whole}, {least} to {of['maximum']:,g}"
    raise ValueError(f"no words for {of}")


def _default(of: dict[str, Any]) -> str:
    default = of.get("default")
    if default is None or default in ("", []):
        return ""
    text = default if isinstance(default, str) else json.dumps(default)
    return f"`{text if len(text) <= LONGEST_DEFAULT else text[:LONGEST_DEFAULT].rstrip() + '…'}`"


def _table(rows: Iterator[_Row]) -> str:
    lines = ["| Key | Value | Default | Meaning |", "|---|---|---|---|"]
    lines += [f"| `{row.key}` | {row.kind} | {row.default} | {_cell(row.meaning)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _settings(env_example: str) -> str:
    """The settings by section, as `.env.example` explains them: what stands above a line is about it, what stands above
    a line with nothing but # is about the section.
    """
    lines: list[str] = []
    comment: list[str] = []
    for line in env_example.splitlines():
        if section := SECTION.fullmatch(line):
            lines += ["", f"### {section['title']}", ""]
        elif setting := SETTING.fullmatch(line):
            if not lines[-1].startswith("|"):
                lines += ["| Setting | Default | Meaning |", "|---|---|---|"]
            default = f"`{setting['default']}`" if setting["default"] else ""
            lines.append(f"| `{setting['name']}` | {default} | {_cell(' '.join(comment))} |")
        elif line == "#":
            lines += [_cell(" ".join(comment)), ""]
        elif line.startswith("# "):
            comment.append(line.removeprefix("# "))
            continue
        comment = []
    return "\n".join(lines).strip() + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
