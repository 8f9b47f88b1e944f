"""The structured outcome: its schema is checked when the profile is read, and each answer against it."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from agent.summary.prompt import AnswerError, instructions_of, read_answer
from agent.summary.spec import SummarySpec

pytest.importorskip("jsonschema")

FIELDS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "wish": {"enum": ["book", "cancel", "other"]},
        "guests": {"type": "integer", "minimum": 1},
        "phone": {"$ref": "#/$defs/phone"},
    },
    "required": ["wish"],
    "additionalProperties": False,
    "$defs": {"phone": {"type": ["string", "null"], "pattern": r"^\+?[0-9 ]+$"}},
}
SPEC = SummarySpec(fields=FIELDS)


def answer(outcome: object) -> str:
    return json.dumps({"summary": "A call.", "outcome": outcome})


def test_an_outcome_that_fits_is_taken() -> None:
    """As the object that it is."""
    outcome = {"wish": "book", "guests": 2, "phone": None}
    assert read_answer(answer(outcome), SPEC).outcome == outcome


@pytest.mark.parametrize(
    ("outcome", "place"),
    [
        ({"wish": "sing"}, "wish"),
        ({}, "wish"),
        ({"wish": "book", "guests": 0}, "guests"),
        ({"wish": "book", "guests": "two"}, "guests"),
        ({"wish": "book", "phone": "call me"}, "phone"),
        ({"wish": "book", "mood": "good"}, "mood"),
        (None, "not of type 'object'"),
        ([], "not of type 'object'"),
    ],
)
def test_an_outcome_that_does_not_fit_is_none(outcome: object, place: str) -> None:
    """The error says where, so that the model can mend it."""
    with pytest.raises(AnswerError, match="does not fit the schema") as caught:
        read_answer(answer(outcome), SPEC)
    assert place in str(caught.value)


def test_the_model_is_told_the_schema() -> None:
    """Word for word."""
    assert json.dumps(FIELDS) in instructions_of(SPEC)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"type": "array"}, "type: object"),
        ({"properties": {}}, "type: object"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "no JSON Schema"),
        ({"type": "object", "properties": {"a": {"$ref": "https://evil.example/s.json"}}}, "into the schema itself"),
        ({"type": "object", "$id": "https://evil.example/"}, "stands alone"),
        ({"type": "object", "description": "x" * 40_000}, "smaller than"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_the_profile(fields: dict[str, Any], why: str) -> None:
    """Before any call, with the reason."""
    with pytest.raises(ValidationError, match=why):
        SummarySpec(fields=fields)


def test_a_schema_of_any_depth_is_refused_without_a_crash() -> None:
    """A hostile one too."""
    for depth in (15, 500):
        nested: dict[str, Any] = {"type": "object"}
        for _ in range(depth):
            nested = {"type": "object", "properties": {"a": nested}}
        with pytest.raises(ValidationError, match="nested"):
            SummarySpec(fields=nested)


def test_a_reference_to_nowhere_is_a_failure_and_no_crash() -> None:
    """It shows when the first answer is checked, and is told as what is wrong."""
    spec = SummarySpec(fields={"type": "object", "properties": {"a": {"$ref": "#/$defs/missing"}}})
    with pytest.raises(AnswerError, match="cannot be used"):
        read_answer(answer({"a": 1}), spec)
