"""The JSON Schemas of a dispatch and of a profile, made from the models."""

from typing import Any, Literal

from agent.job.spec import CallSpec, Job, Profile
from agent.job.texts import PROFILE_NAME

Kind = Literal["job", "profile"]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLES: dict[Kind, tuple[str, str]] = {
    "job": ("Job metadata", "What a dispatch says about one call. A key whose value is null counts as not said."),
    "profile": ("Agent profile", "How a team wants one kind of call. A key whose value is null counts as not said."),
}


def json_schema(kind: Kind) -> dict[str, Any]:
    """The schema of job metadata or of a profile: what the worker takes, as far as a schema can say it."""
    schema = (Job if kind == "job" else Profile).model_json_schema()
    properties: dict[str, Any] = schema["properties"]
    if kind == "job":
        properties["agent"] = {"anyOf": [properties["agent"], {"type": "string", "pattern": PROFILE_NAME}]}
    own = [name for name in properties if name not in CallSpec.model_fields]
    title, description = TITLES[kind]
    return {
        "$schema": DIALECT,
        "title": title,
        "description": description,
        "type": "object",
        "properties": _plain({name: properties[name] for name in (*own, *CallSpec.model_fields)}),
        "required": schema.get("required", []),
        "additionalProperties": False,
        "$defs": _plain(schema["$defs"]),
    }


def _plain(value: Any) -> Any:
    """Without what pydantic adds: titles made of names, and null for what is not said."""
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.get("anyOf", [])[1:] == [{"type": "null"}]:
        value = {**value["anyOf"][0], **{k: v for k, v in value.items() if k != "anyOf"}}
    if "patternProperties" in value:
        value = {**value, "additionalProperties": False}
    unset = value.get("default", ...) is None or (value.get("default") == [] and "minItems" in value)
    return {
        key: _plain(inner)
        for key, inner in value.items()
        if not (key == "title" and isinstance(inner, str)) and not (key == "default" and unset)
    }
