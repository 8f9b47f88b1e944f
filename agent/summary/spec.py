"""What a profile may ask of the summary."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

from agent.summary.fields import check_fields

MAX_FIELDS_BYTES = 32 * 1024


class SummarySpec(BaseModel):
    """A summary of each call, made by its language model once the call is over."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    instructions: Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00]*$")] = ""
    """What the summary is to say, beside what happened and what was agreed."""
    fields: dict[str, Any] | None = None
    """A JSON Schema (2020-12) with `type: object`: the outcome of the call in fields. Left out: words alone."""

    @field_validator("fields")
    @classmethod
    def _a_schema(cls, fields: dict[str, Any] | None) -> dict[str, Any] | None:
        if fields is not None:
            try:
                size = len(json.dumps(fields))
            except RecursionError:
                raise ValueError("is nested too deep") from None
            if size > MAX_FIELDS_BYTES:
                raise ValueError(f"must be smaller than {MAX_FIELDS_BYTES} bytes")
            check_fields(fields)
        return fields
