"""The outcome's JSON Schema: checked when the profile is read, and each answer of a model against it."""

from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 20


class FieldsError(ValueError):
    """An outcome does not fit the schema; the message says where and why, in a form that a model can act on."""


def check_fields(schema: Mapping[str, Any]) -> None:
    """Refuse what is no schema of an outcome.

    Raises:
        ValueError: it is no JSON Schema (2020-12) of an object, refers outside itself, or is nested too deep.
    """
    # Only a profile with fields needs it, and it takes 100 ms to load.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if schema.get("type") != "object":
        raise ValueError("must be a JSON Schema with type: object")
    _check_references(schema, MAX_DEPTH)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = "/".join(map(str, error.absolute_path))
        raise ValueError(f"is no JSON Schema: {error.message}" + (f" (at {place})" if place else "")) from None


def fit_fields(schema: Mapping[str, Any], outcome: object) -> None:
    """Check an outcome.

    Raises:
        FieldsError: it does not fit.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # Nothing is ever fetched: the library would by itself follow a `$ref` to any address.
    nothing_else: Registry[Any] = Registry()
    validator = Draft202012Validator(dict(schema), registry=nothing_else)
    try:
        error = best_match(validator.iter_errors(outcome))
    except (RecursionError, Unresolvable) as problem:
        raise FieldsError(f"the schema cannot be used: {type(problem).__name__}") from None
    if error is not None:
        place = ".".join(map(str, error.absolute_path))
        raise FieldsError(f"{place or 'the outcome'}: {error.message[:300]}")


def _check_references(node: Any, depth: int) -> None:
    if depth == 0:
        raise ValueError(f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(node, Mapping):
        for key in ("$ref", "$dynamicRef"):
            reference = node.get(key)
            if isinstance(reference, str) and not reference.startswith("#"):
                raise ValueError(f"{key} must point into the schema itself (#/$defs/…)")
        if "$id" in node:
            raise ValueError("$id is not used here: the schema stands alone")
    children = node.values() if isinstance(node, Mapping) else node if isinstance(node, list | tuple) else ()
    for child in children:
        _check_references(child, depth - 1)
