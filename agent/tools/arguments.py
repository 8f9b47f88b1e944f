"""The arguments of a tool: a JSON Schema, checked when the profile is read, and each call's arguments against it."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

Schema = Mapping[str, Any]

# Nothing is ever fetched: the library would by itself follow a `$ref` to any address.
_NOTHING_ELSE: Registry[Any] = Registry()
MAX_DEPTH = 20


class ArgumentsError(ValueError):
    """The arguments do not fit the schema; the message names where and why, for the model to mend it."""


def check_schema(schema: Schema) -> None:
    """Refuse a schema that cannot describe the arguments of a tool.

    Raises:
        ValueError: it is no JSON Schema (2020-12) of an object, refers outside itself, or is nested too deep.
    """
    if schema.get("type") != "object" or not isinstance(schema.get("properties", {}), Mapping):
        raise ValueError("must be a JSON Schema with type: object and properties")
    references = _references(schema, MAX_DEPTH)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = "/".join(map(str, error.absolute_path))
        raise ValueError(f"is no JSON Schema: {error.message}" + (f" (at {place})" if place else "")) from None
    resource = Resource.from_contents(dict(schema), default_specification=DRAFT202012)
    resolver = _NOTHING_ELSE.with_resource("", resource).resolver()
    for reference in references:
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise ValueError(f"$ref {reference[:100]!r} points to nothing") from None


def properties(schema: Schema) -> list[str]:
    """The names of the arguments."""
    return list(schema.get("properties", {}))


def validate(schema: Schema, arguments: Mapping[str, Any]) -> None:
    """Check the arguments of a call; none that the schema does not name is let through.

    Raises:
        ArgumentsError: they do not fit.
    """
    unknown = sorted(set(arguments) - set(properties(schema)))
    if unknown:
        raise ArgumentsError(f"unknown argument {unknown[0][:100]!r}; there are: {', '.join(properties(schema))}")
    validator = Draft202012Validator(dict(schema), registry=_NOTHING_ELSE)
    try:
        error = best_match(validator.iter_errors(dict(arguments)))
    except RecursionError:
        raise ArgumentsError("the arguments are nested too deep") from None
    if error is not None:
        raise ArgumentsError(_describe(error))


def _describe(error: ValidationError) -> str:
    place = ".".join(map(str, error.absolute_path))
    return f"argument {place}: {error.message[:300]}" if place else error.message[:300]


def _references(node: Any, depth: int) -> list[str]:
    """All `$ref` below a node; they stay inside the schema."""
    if depth == 0:
        raise ValueError(f"is nested deeper than {MAX_DEPTH} levels")
    found: list[str] = []
    if isinstance(node, Mapping):
        if "$id" in node:
            raise ValueError("$id is not used here: the schema stands alone")
        for key in ("$ref", "$dynamicRef"):
            if isinstance(reference := node.get(key), str):
                if not reference.startswith("#"):
                    raise ValueError(f"{key} must point into the schema itself (#/$defs/…)")
                found.append(reference)
    children = node.values() if isinstance(node, Mapping) else node if isinstance(node, list | tuple) else ()
    for child in children:
        found += _references(child, depth - 1)
    return found
